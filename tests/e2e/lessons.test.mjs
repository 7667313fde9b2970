// Each lesson from its first step to its debrief, as a learner would go through it.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { LESSONS } from "./lessons.mjs";

// Answers everything a step asks; the run waits for predictions.
async function answer(lab) {
  const folded = lab.page.locator(".recall details:not([open]) > summary");
  while ((await folded.count()) > 0) await folded.first().click();
  const groups = lab.page.locator(".prediction");
  for (let i = 0; i < (await groups.count()); i += 1) {
    const group = groups.nth(i);
    if ((await group.locator(".choice.chosen").count()) === 0) {
      await group.locator(".choice").first().click();
      await group.locator(".choice.chosen").waitFor();
    }
  }
}

async function tickByHand(lab) {
  const boxes = lab.page.locator(".tasks [role=checkbox][aria-checked=false]");
  while ((await boxes.count()) > 0) await boxes.first().click();
}

async function eachStep(lab, walk) {
  for (;;) {
    await answer(lab);
    await walk();
    const next = lab.the("button", "Next step");
    if ((await next.count()) === 0 || (await next.isDisabled())) return;
    await next.click();
  }
}

async function finish(lab, { id, title, start, solution }) {
  await lab.open();
  await lab.page.locator(".lesson-card", { hasText: title }).click();
  await lab.editorReady();
  assert.equal(await lab.manifest(), start, `${id} starts with its start`);
  // First round: read, predict, and see that the start does not pass.
  let open = 0;
  await eachStep(lab, async () => {
    await lab.seek("End");
    open += await lab.page.locator(".tasks .task:not(.done)").count();
  });
  assert.ok(open > 0, `${id}: the start leaves something to do`);
  while (await lab.the("button", "Back").isEnabled()) await lab.click("button", "Back");
  await lab.rewrite(solution);
  await lab.see(/^No problems/, lab.the("region", "Problems"));
  await lab.press("ControlOrMeta+Enter");
  await eachStep(lab, async () => {
    await lab.seek("End");
    await tickByHand(lab);
    await lab.becomes(0, () => lab.page.locator(".tasks .task:not(.done)").count());
  });
  await lab.see("What happened");
  await lab.shot(`debrief ${id}`);
}

journeys(
  LESSONS.map((lesson) => [`${lesson.id} can be finished`, (lab) => finish(lab, lesson)]),
);
