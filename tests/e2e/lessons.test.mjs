// Each lesson from its first step to its debrief, as a learner would go through it.
import assert from "node:assert/strict";
import { journeys, siteWithout } from "./lab.mjs";
import { FIRST, LESSONS, SHIPPER } from "./lessons.mjs";

const OPEN_QUESTION = ".prediction:not(:has(.choice.chosen))";
const OPEN_BOX = ".tasks [role=checkbox][aria-checked=false]";
const NEXT = ".lesson-foot .primary";

// How a learner with a mouse goes about it.
const MOUSE = {
  open: async (lab, id) => lab.page.locator(`.lesson-card[href="#/lesson/${id}"]`).click(),
  answer: (lab) => lab.pressAll(`${OPEN_QUESTION} .choice:first-child`),
  tick: (lab) => lab.pressAll(OPEN_BOX),
  next: (lab) => lab.click("button", "Next step"),
  end: (lab) => lab.seek("End"),
  write: (lab, text) => lab.rewrite(text),
  run: (lab) => lab.press("ControlOrMeta+Enter"),
  learn: async () => {},
};

// The same with keys alone.
const KEYS = {
  open: async (lab, id) => {
    await lab.tabTo(`.lesson-card[href="#/lesson/${id}"]`);
    await lab.press("Enter");
  },
  answer: async (lab) => {
    while (await lab.page.locator(OPEN_QUESTION).count()) {
      const open = await lab.page.locator(OPEN_QUESTION).count();
      await lab.tabTo(`${OPEN_QUESTION} .choice`);
      await lab.press("Enter");
      await lab.becomes(open - 1, () => lab.page.locator(OPEN_QUESTION).count());
    }
  },
  tick: async (lab) => {
    while (await lab.page.locator(OPEN_BOX).count()) {
      await lab.tabTo(OPEN_BOX);
      await lab.press("Space");
    }
  },
  next: async (lab) => {
    await lab.tabTo(NEXT);
    await lab.press("Enter");
  },
  end: async (lab) => {
    await lab.checked();
    await lab.press("t", "End");
  },
  write: async (lab, text) => {
    await lab.press("e", "ControlOrMeta+a");
    await lab.page.keyboard.insertText(text);
    await lab.press("Escape", "Tab");
  },
  run: (lab) => lab.press("ControlOrMeta+Enter"),
  learn: (lab) => lab.press("Escape"),
};

// One pane at a time, under a thumb.
const PHONE = {
  ...MOUSE,
  end: async (lab) => {
    await lab.checked();
    await lab.pause();
    const instant = lab.the("slider", "Instant");
    await instant.fill(await instant.getAttribute("max"));
  },
  write: async (lab, text) => {
    await lab.click("button", "Edit");
    await lab.rewrite(text);
  },
  run: (lab) => lab.click("button", "Run"),
  learn: (lab) => lab.click("button", "Learn"),
};

// Answers everything a step asks; the run waits for predictions.
async function answer(lab, hands) {
  await hands.answer(lab);
  await lab.becomes(0, () => lab.page.locator(OPEN_QUESTION).count());
}

async function eachStep(lab, hands, walk) {
  const place = lab.page.locator(".lesson-foot .steps-text");
  // A lesson of one step has no foot.
  const n = (await lab.page.locator(".lesson-foot").count()) ? Number((await place.innerText()).split("/")[1]) : 1;
  for (let i = 1; i <= n; i += 1) {
    await answer(lab, hands);
    await walk();
    if (i === n) return;
    await hands.next(lab);
    await lab.becomes(`${i + 1} / ${n}`, () => place.innerText());
  }
}

// The editor is made, whether or not its pane is the one in sight.
async function ready(lab) {
  await lab.page.locator(".cm-content").waitFor({ state: "attached" });
  await lab.checked();
}

async function finish(lab, { id, start, solution }, hands) {
  await lab.open();
  // Tracks with many lessons are folded.
  await lab.page.locator(".lesson-card").first().waitFor({ state: "attached" });
  await lab.pressAll(".track-lessons:not([open]) > summary");
  await hands.open(lab, id);
  await ready(lab);
  assert.equal(await lab.manifest(), start, `${id} starts with its start`);
  // First round: read, predict, and see that the start does not pass.
  await hands.learn(lab);
  let open = 0;
  await eachStep(lab, hands, async () => {
    await hands.end(lab);
    open += await lab.page.locator(".tasks .task:not(.done)").count();
  });
  assert.ok(open > 0, `${id}: the start leaves something to do`);
  await lab.open(`/lesson/${id}?step=1`);
  await lab.reload();
  await ready(lab);
  await hands.write(lab, `${solution}# mine\n`);
  await lab.checked();
  await lab.see(/^No problems/, lab.the("region", "Problems"));
  await hands.run(lab);
  await hands.learn(lab);
  await eachStep(lab, hands, async () => {
    await hands.end(lab);
    await hands.tick(lab);
    await lab.becomes(0, () => lab.page.locator(".tasks .task:not(.done)").count());
  });
  await lab.see("What happened");
  await lab.shot(`debrief ${id}`);
}

// Ten tracks: two of them without a mouse, two on a phone.
const HANDS = { "break-and-fix": KEYS, observability: KEYS, init: PHONE, sidecar: PHONE };

function play(lesson) {
  const hands = HANDS[lesson.track] ?? MOUSE;
  const how = hands === KEYS ? " without a mouse" : hands === PHONE ? " on a phone" : "";
  const options = hands === PHONE ? { width: 360, height: 740, touch: true } : {};
  return [`${lesson.id} can be finished${how}`, (lab) => finish(lab, lesson, hands), options];
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
  ...FIRST.map(play),
  [
    "the first lesson can be finished with what is loaded first",
    async (lab) => {
      const lesson = LESSONS.find(({ id }) => id === "start/first-run");
      await finish(lab, lesson, MOUSE);
      // The rest is asked for after two seconds; whoever is quicker never hears of it.
      lab.allowNoise(/404|Failed to load/);
    },
    { site: () => siteWithout(/split_|chunk_|_later/) },
  ],
]);
