// Editing: problems appear where they are, are repaired in one click, and leave the run alone.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

const WRONG = SHIPPER.start.replace("mountPath: /logs", "mountPat: /logs");
const WRONG_LINE = WRONG.slice(0, WRONG.indexOf("mountPat:")).split("\n").length;

async function openWithMistake(lab) {
  await lab.openLesson(SHIPPER.id);
  await lab.rewrite(WRONG);
  await lab.the("region", "Problems").getByText(/unknown field/).first().waitFor();
}

journeys([
  [
    "a typing mistake is marked at its own place, in kubectl's words",
    async (lab) => {
      await openWithMistake(lab);
      const problems = lab.the("region", "Problems");
      await lab.see(`line ${WRONG_LINE}`, problems);
      const squiggle = lab.page.locator(".cm-lintRange-error").first();
      await squiggle.waitFor();
      assert.match(await squiggle.innerText(), /^mountPat/);
      await lab.page.locator(".cm-lint-marker-error").first().waitFor();
      await lab.click("button", /line \d+.*unknown field/, problems);
      await lab.page.locator(".cm-activeLine", { hasText: "mountPat: /logs" }).waitFor();
      await lab.see("kubectl says", problems);
    },
  ],
  [
    "the quick fix repairs it, and undo takes the repair back",
    async (lab) => {
      await openWithMistake(lab);
      const problems = lab.the("region", "Problems");
      await problems.locator("button.fix").first().click();
      await lab.page.locator(".cm-lintRange-error").waitFor({ state: "detached" });
      assert.equal(await lab.manifest(), SHIPPER.start);
      await lab.page.locator(".cm-content").focus();
      await lab.press("ControlOrMeta+z");
      await lab.page.locator(".cm-lintRange-error").first().waitFor();
      assert.equal(await lab.manifest(), WRONG);
    },
  ],
  [
    "the quick fix is in the editor too, by mouse and by key",
    async (lab) => {
      await openWithMistake(lab);
      await lab.page.locator(".cm-lintRange-error").first().hover();
      await lab.page.locator(".cm-tooltip .cm-diagnosticAction").first().click();
      await lab.becomes(SHIPPER.start, () => lab.manifest());
      await lab.rewrite(WRONG);
      await lab.page.locator(".cm-lintRange-error").first().waitFor();
      await lab.press("F8");
      await lab.press("ControlOrMeta+.");
      await lab.becomes(SHIPPER.start, () => lab.manifest());
    },
  ],
  [
    "broken text keeps the last good run, marked as older",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.rewrite("kind: Pod\n  metadata: [");
      await lab.see(/run of its last good text/, lab.the("region", "Stage"));
      await lab.page.locator(".cm-stale").waitFor();
      await lab.the("region", "Stage").getByText("shop").first().waitFor();
      await lab.rewrite(SHIPPER.start);
      await lab.page.locator(".cm-stale").waitFor({ state: "detached" });
    },
  ],
  [
    "a field explains itself in Kubernetes' own words",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.page.locator(".cm-line span", { hasText: /^image$/ }).first().hover();
      const told = lab.page.locator(".cm-tooltip");
      await lab.see(/containers\[0\]\.image|image/, told);
      await lab.see(/Container image name/, told);
      await lab.shot("hover");
    },
  ],
  [
    "a name is followed by key, and renamed everywhere in one step",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      const cursorLine = () => lab.page.locator(".cm-activeLine").innerText();
      const mount = lab.page.locator(".cm-line", { hasText: "- name: logs" }).first();
      await mount.click();
      await lab.press("End", "F12");
      await lab.see(/^volume logs: given here, place 1 of 3$/);
      assert.match(await cursorLine(), /- name: logs/);
      await lab.press("Shift+F12");
      await lab.see(/used here, place 2 of 3/);
      await lab.press("F2");
      const field = lab.the("textbox", "Rename volume");
      await lab.see("3 places change");
      await lab.shot("rename");
      await field.fill("No Name");
      await lab.see(/is no name for a volume/);
      await field.fill("records");
      await lab.see("3 places change");
      await field.press("Enter");
      const renamed = SHIPPER.start.replaceAll("name: logs", "name: records");
      await lab.becomes(renamed, () => lab.manifest());
      await lab.page.locator(".cm-content").focus();
      await lab.press("ControlOrMeta+z");
      await lab.becomes(SHIPPER.start, () => lab.manifest());
    },
  ],
  [
    "what names a thing offers by mouse what the keys do",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      const mount = lab.page.locator(".cm-line", { hasText: "- name: logs" }).first();
      await mount.click();
      const [x, y] = await mount.evaluate((line) => {
        const range = document.createRange();
        range.selectNodeContents(line);
        const { right, top } = range.getBoundingClientRect();
        return [right - 4, top + 8];
      });
      await lab.page.mouse.move(x, y);
      await lab.click("button", "Rename F2", lab.page.locator(".cm-tooltip"));
      await lab.the("textbox", "Rename volume").waitFor();
      await lab.assertAccessible("the rename field");
      await lab.press("Escape");
      await lab.the("textbox", "Rename volume").waitFor({ state: "detached" });
      await lab.click("button", /^Help/);
      await lab.see("rename everywhere (in the editor)");
    },
  ],
  [
    "keys, texts and remarks look different, and a new line knows where it belongs",
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.rewrite("a: 'b' # c\n---\nkind: Pod\nspec:\n  list:\n    - name: x");
      const looks = await lab.page.locator(".cm-line").first().locator("[class*=cm-y-]").allInnerTexts();
      assert.deepEqual(looks, ["a", ":", "'b'", "# c"]);
      await lab.press("Enter");
      await lab.type("deep:");
      await lab.press("Enter");
      await lab.type("- y");
      const text = await lab.manifest();
      assert.match(text, /- name: x\n {6}deep:\n {8}- y$/);
      const arrows = lab.page.locator(".cm-foldGutter").getByTitle("Fold line", { exact: true });
      await arrows.filter({ visible: true }).first().click();
      await lab.page.locator(".cm-foldPlaceholder").waitFor();
      await lab.dontSee("list:", lab.page.locator(".cm-content"));
    },
  ],
  [
    "a fault says what it changed in the run",
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.seekTo(12);
      await lab.click("button", "Faults");
      await lab.click("button", "Delete it", lab.page.getByRole("dialog"));
      await lab.see(/^After the fault .*a pod is gone at \d+ s/);
    },
  ],
  [
    "an edit says what it changed in the run",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.rewrite(SHIPPER.solution);
      await lab.page.locator(".changed").waitFor();
      assert.notEqual((await lab.page.locator(".changed").innerText()).trim(), "");
    },
  ],
]);
