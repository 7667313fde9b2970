// Every page at every width, light and dark: nothing cut off sideways, nothing axe objects to.
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
