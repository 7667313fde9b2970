// The lab without a mouse.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

// Presses Tab until something with this name has the focus, and says what was passed.
async function tabTo(lab, name) {
  const passed = [];
  for (let i = 0; i < 80; i += 1) {
    await lab.press("Tab");
    const [found, focusable] = await lab.page.evaluate(() => {
      const on = document.activeElement;
      const text = on.getAttribute("aria-label") || on.innerText || on.value || "";
      return [text.trim().split("\n")[0], on !== document.body];
    });
    if (!focusable) continue;
    passed.push(found);
    if (found.match(name)) return passed;
  }
  assert.fail(`Tab never came to ${name}: ${passed.join(" | ")}`);
}

const focusIn = (lab, selector) =>
  lab.page.evaluate((s) => Boolean(document.activeElement.closest(s)), selector);

journeys([
  [
    "a lesson is opened, edited, run and left without a mouse",
    async (lab) => {
      await lab.open();
      await lab.page.locator(".lesson-card").first().waitFor();
      await tabTo(lab, SHIPPER.title);
      await lab.press("Enter");
      await lab.editorReady();
      await tabTo(lab, /./);
      await lab.press("e");
      await lab.becomes(true, () => focusIn(lab, ".cm-editor"));
      await lab.press("ControlOrMeta+End");
      await lab.type("# by hand");
      await lab.press("Escape", "Tab");
      await lab.becomes(false, () => focusIn(lab, ".cm-editor"));
      await lab.press("ControlOrMeta+Enter");
      await lab.until("a run", async () => (await lab.clock()) !== "");
      await lab.press("l");
      await lab.becomes("true", () => lab.the("tab", "logs").getAttribute("aria-selected"));
      await lab.press("k");
      await lab.becomes("true", () => lab.the("tab", "kubectl").getAttribute("aria-selected"));
      assert.match(await lab.manifest(), /# by hand$/);
    },
  ],
  [
    "help opens with ? and closes with Escape",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.page.locator("#main").focus();
      await lab.press("?");
      const help = lab.the("dialog", "Keys and words");
      await help.waitFor();
      await lab.see("next problem", help);
      await lab.press("Escape");
      await help.waitFor({ state: "detached" });
    },
  ],
  [
    "events are walked with point and comma, and space plays",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.predict();
      await lab.seek("Home");
      await lab.page.locator("#main").focus();
      await lab.press(".", ".", ".");
      const there = await lab.clock();
      await lab.press(",", ",");
      assert.ok((await lab.clock()) <= there);
      await lab.press("Space");
      await lab.the("button", "Pause").waitFor();
      await lab.press("Space");
      await lab.the("button", "Play").waitFor();
    },
  ],
  [
    "borders move by arrow keys",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      const border = lab.the("separator", "Width of the editor");
      await border.focus();
      const before = await border.getAttribute("aria-valuenow");
      await lab.press("ArrowRight", "ArrowRight");
      assert.notEqual(await border.getAttribute("aria-valuenow"), before);
    },
  ],
]);
