// The lab without a mouse.
import assert from "node:assert/strict";
import { SHOTS, journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

const focusIn = (lab, selector) =>
  lab.page.evaluate((s) => Boolean(document.activeElement.closest(s)), selector);

journeys([
  [
    "a lesson is opened, edited, run and left without a mouse",
    async (lab) => {
      await lab.open();
      await lab.page.locator(".lesson-card").first().waitFor();
      await lab.pressAll(".track-lessons:not([open]) > summary");
      await lab.tabTo("*", new RegExp(SHIPPER.title));
      await lab.press("Enter");
      await lab.editorReady();
      await lab.tabTo("*");
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
    "one Escape lets Tab out of the editor, two lead back to the lesson",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.press("e");
      await lab.becomes(true, () => focusIn(lab, ".cm-editor"));
      await lab.press("Escape");
      assert.equal(await focusIn(lab, ".cm-editor"), true);
      await lab.press("Escape", "Escape");
      await lab.becomes(true, () => focusIn(lab, "#lesson"));
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
      await lab.until("a wider editor", async () => (await border.getAttribute("aria-valuenow")) > before);
    },
  ],
  [
    "panes fold away and open again, and stay so after a reload",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      for (const [border, pane] of [
        ["Width of the lesson", ".lesson"],
        ["Width of the editor", ".editor-pane"],
        ["Width of the timeline", ".lanes"],
        ["Height of the lower part", ".lower-body"],
      ]) {
        await lab.the("separator", border).focus();
        await lab.press("Enter");
        await lab.page.locator(pane).waitFor({ state: "hidden" });
      }
      await lab.shot("folded");
      await lab.reload();
      await lab.page.locator(".editor-pane").waitFor({ state: "hidden" });
      await lab.click("separator", "Width of the editor");
      await lab.page.locator(".editor-pane").waitFor();
      await lab.the("separator", "Height of the lower part").focus();
      await lab.press("Enter");
      await lab.page.locator(".panels").waitFor();
    },
  ],
  [
    "in a room keys are shown, panes come with their keys, and notes have a window",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.page.locator("#main").focus();
      await lab.press("p");
      await lab.page.locator("[data-present]").waitFor();
      await lab.until("its script", () => lab.page.locator(".keys-shown").count());
      await lab.press("s");
      await lab.see("S", lab.page.locator(".keys-shown"));
      await lab.shot("room stage");
      await lab.press("l");
      await lab.becomes(true, () => focusIn(lab, "#panel"));
      await lab.shot("room logs");
      await lab.press("e");
      await lab.becomes(true, () => focusIn(lab, ".cm-editor"));
      await lab.shot("room manifest");
      await lab.press("Escape");
      await lab.becomes(true, () => focusIn(lab, "#stage"));
      // Tab goes round what is on the wall and never into what is not.
      for (let i = 0; i < 60; i += 1) {
        await lab.press("Tab");
        assert.ok(!(await focusIn(lab, ".lesson, .editor-pane, .lower-body")), `outside after ${i} tabs`);
      }
      await lab.press("s");
      const [notes] = await Promise.all([lab.page.waitForEvent("popup"), lab.press("n")]);
      const own = notes.getByRole("textbox", { name: "Your notes on this step" });
      await own.fill("tell them about the volume");
      await notes.getByRole("button", { name: "Next step" }).click();
      await lab.until("the next step's empty notes", async () => (await own.inputValue()) === "");
      await notes.getByRole("button", { name: "Back" }).click();
      await lab.until("the notes", async () => (await own.inputValue()).startsWith("tell them"));
      await notes.screenshot({ path: `${SHOTS}/room-notes.png` });
    },
    { width: 1280, height: 720 },
  ],
]);
