// Every page at every width, light and dark: nothing cut off sideways, nothing wider than its pane,
// nothing axe objects to.
// Leaves pictures in shots/ for people to look at.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

const WIDTHS = [
  [360, 740],
  [768, 1024],
  [1280, 800],
  [1920, 1080],
];

async function looksRight(lab, name) {
  await lab.shot(name);
  const [page, window] = await lab.page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  assert.ok(page <= window, `${name}: ${page} px wide in a window of ${window}`);
  await lab.assertAccessible(name);
}

async function lesson(lab, suffix, width) {
  const narrow = width < 700;
  await lab.open(`/lesson/${SHIPPER.id}`);
  if (narrow) await lab.click("button", "Edit");
  await lab.editorReady();
  await lab.rewrite(SHIPPER.solution);
  await lab.checked();
  if (narrow) await looksRight(lab, `edit ${suffix}`);
  // Below 1100 px the lesson is a drawer, below 700 a pane.
  if (narrow) await lab.click("button", "Learn");
  else if (width < 1100) await lab.click("button", "Lesson");
  await lab.predict();
  await looksRight(lab, `lesson ${suffix}`);
  if (narrow) await lab.click("button", "Watch");
  else if (width < 1100) await lab.click("button", "Lesson");
  await lab.seekTo(12);
  for (const tab of ["events", "logs", "files", "kubectl"]) {
    await lab.tab(tab);
    await looksRight(lab, `${tab} ${suffix}`);
  }
}

async function dialogs(lab, suffix) {
  await lab.click("button", "Export");
  await lab.the("dialog", "Take it away").waitFor();
  await looksRight(lab, `export ${suffix}`);
  await lab.press("Escape");
  await lab.click("button", "Help and keys");
  await lab.the("dialog", "Keys and words").waitFor();
  await looksRight(lab, `help ${suffix}`);
  await lab.press("Escape");
}

const list = [];
for (const [width, height] of WIDTHS) {
  for (const dark of [false, true]) {
    const suffix = `${width} ${dark ? "dark" : "light"}`;
    const narrow = width < 700;
    list.push([
      `catalogue ${suffix}`,
      async (lab) => {
        await lab.open();
        await lab.page.locator(".lesson-card").first().waitFor();
        await looksRight(lab, `catalogue ${suffix}`);
      },
      { width, height, dark, touch: narrow },
    ]);
    list.push([
      `lesson ${suffix}`,
      async (lab) => {
        await lesson(lab, suffix, width);
        await dialogs(lab, suffix);
      },
      { width, height, dark, touch: narrow },
    ]);
  }
}

// Prose, tasks, predictions and dialogs of a lesson; a block of code scrolls in its own box.
async function inItsPane(lab, name) {
  const wide = await lab.page.evaluate(() => {
    const out = [];
    for (const pane of document.querySelectorAll(".lesson, .pane-head, .bar, .problems, .transport")) {
      const { right, width } = pane.getBoundingClientRect();
      if (width === 0) continue;
      for (const node of pane.querySelectorAll("*")) {
        const box = node.getBoundingClientRect();
        const hidden = node.closest("pre, .hidden, .term-note, .skip") || box.width <= 1;
        if (!hidden && box.right > right + 1) out.push(`${node.tagName} ${node.textContent.slice(0, 40)}`);
      }
    }
    return out;
  });
  assert.deepEqual(wide, [], `${name}: wider than its pane`);
}

for (const [width, height] of WIDTHS) {
  list.push([
    `nothing of a lesson is wider than its pane at ${width}`,
    async (lab) => {
      for (const id of [SHIPPER.id, "drills/from-the-console", "break-and-fix/a-letter-too-few"]) {
        await lab.open(`/lesson/${id}`);
        await lab.page.locator(".lesson-step h2").first().waitFor({ state: "attached" });
        if (width < 700) await lab.click("button", "Learn");
        else if (width < 1100 && !(await lab.page.locator(".lesson").isVisible())) {
          await lab.click("button", "Lesson");
        }
        await lab.page.locator(".lesson-step h2").first().waitFor();
        await inItsPane(lab, `${id} ${width}`);
        await lab.shot(`prose ${id} ${width}`);
        if (width < 700) await lab.click("button", "Edit");
        await lab.editorReady();
        await inItsPane(lab, `editor of ${id} ${width}`);
      }
    },
    { width, height, touch: width < 700 },
  ]);
}

list.push([
  "what is pressed on a phone is 40 px high, or reached from as far around",
  async (lab) => {
    await lab.open(`/lesson/${SHIPPER.id}`);
    for (const pane of ["Learn", "Edit", "Watch"]) {
      await lab.click("button", pane);
      const low = await lab.page.evaluate(() => {
        const reach = (node) => {
          const { height } = node.getBoundingClientRect();
          const inset = Number.parseFloat(getComputedStyle(node, "::before").inset);
          return inset < 0 ? height - 2 * inset : height;
        };
        return [...document.querySelectorAll("button, summary, [role=tab]")]
          .filter((node) => node.checkVisibility() && reach(node) < 40)
          .map((node) => `${node.className} ${node.textContent.slice(0, 30)} ${reach(node)}`);
      });
      assert.deepEqual(low, [], pane);
    }
  },
  { width: 360, height: 740, touch: true },
]);

list.push([
  "the theme can be chosen and is remembered",
  async (lab) => {
    await lab.open();
    const paper = () => lab.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await paper();
    await lab.until("a dark page", async () => {
      await lab.click("button", /^Theme:/);
      return (await paper()) !== light;
    });
    const dark = await paper();
    await lab.page.waitForTimeout(1500);
    await lab.reload();
    assert.equal(await paper(), dark);
  },
]);

list.push([
  "nothing travels for who wants it still",
  async (lab) => {
    await lab.openLesson(SHIPPER.id);
    await lab.predict();
    await lab.click("button", "Play");
    await lab.page.waitForTimeout(500);
    const moving = await lab.page.evaluate(
      () => document.getAnimations().filter((a) => a.playState === "running").length,
    );
    assert.equal(moving, 0);
  },
  { still: true },
]);

journeys(list);
