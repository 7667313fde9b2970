// Each lesson from its first step to its debrief, as a learner would go through it.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { FIRST, SHIPPER } from "./lessons.mjs";

// Answers everything a step asks; the run waits for predictions.
async function answer(lab) {
  const open = ".prediction:not(:has(.choice.chosen))";
  await lab.pressAll(`${open} .choice:first-child`);
  await lab.becomes(0, () => lab.page.locator(open).count());
}

async function tickByHand(lab) {
  const open = ".tasks [role=checkbox][aria-checked=false]";
  await lab.pressAll(open);
  await lab.becomes(0, () => lab.page.locator(open).count());
}

async function eachStep(lab, walk) {
  const place = lab.page.locator(".lesson-foot .steps-text");
  // A lesson of one step has no foot.
  const n = (await lab.page.locator(".lesson-foot").count()) ? Number((await place.innerText()).split("/")[1]) : 1;
  for (let i = 1; i <= n; i += 1) {
    await answer(lab);
    await walk();
    if (i === n) return;
    await lab.click("button", "Next step");
    await lab.becomes(`${i + 1} / ${n}`, () => place.innerText());
  }
}

async function finish(lab, { id, start, solution }) {
  await lab.open();
  // Tracks with many lessons are folded.
  await lab.page.locator(".lesson-card").first().waitFor();
  await lab.pressAll(".track-lessons:not([open]) > summary");
  await lab.page.locator(`.lesson-card[href="#/lesson/${id}"]`).click();
  await lab.editorReady();
  assert.equal(await lab.manifest(), start, `${id} starts with its start`);
  // First round: read, predict, and see that the start does not pass.
  let open = 0;
  await eachStep(lab, async () => {
    await lab.seek("End");
    open += await lab.page.locator(".tasks .task:not(.done)").count();
  });
  assert.ok(open > 0, `${id}: the start leaves something to do`);
  await lab.openLesson(id);
  await lab.open(`/lesson/${id}?step=1`);
  await lab.editorReady();
  await lab.rewrite(`${solution}# mine\n`);
  await lab.checked();
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

journeys([
  [
    "a word of the glossary is explained on focus, on hover and by its tooltip",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      const word = lab.page.locator(".lesson .term").first();
      const meaning = lab.page.locator(`#${await word.getAttribute("aria-describedby")}`);
      await meaning.waitFor({ state: "hidden" });
      await word.hover();
      await meaning.waitFor();
      await lab.shot("glossary");
      await lab.page.mouse.move(0, 0);
      await meaning.waitFor({ state: "hidden" });
      await word.focus();
      await meaning.waitFor();
      await lab.assertAccessible("a word's meaning");
    },
  ],
  [
    "questions fold away when they are answered",
    async (lab) => {
      await lab.openLesson("init/wait-migrate-configure");
      await lab.predict();
      const group = lab.page.locator("#predict");
      await group.locator(".choices").waitFor({ state: "hidden" });
      await lab.see("You said:", group);
      await lab.page.locator("#predict summary").click();
      await group.locator(".choices").waitFor();
      const recall = lab.page.locator("#recall-0");
      await recall.locator(".choice").first().click();
      await recall.locator(".choices").waitFor({ state: "hidden" });
      await recall.locator(".reply").waitFor();
    },
  ],
  ...FIRST.map((lesson) => [`${lesson.id} can be finished`, (lab) => finish(lab, lesson)]),
]);
