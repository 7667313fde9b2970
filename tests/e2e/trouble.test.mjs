// When something around the lab is not as it should be: storage full or forbidden, a simulator
// that does not answer, a printer.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

const busy = `apiVersion: v1
kind: Pod
metadata: {name: busy}
spec:
  containers:
    - name: app
      image: busybox:1.36
      command: ["sh", "-c", "while :; do :; done"]
`;

journeys([
  [
    "storage that is full is said, and nothing in the tab is lost",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.page.evaluate(() => {
        Storage.prototype.setItem = () => {
          throw new DOMException("full", "QuotaExceededError");
        };
      });
      await lab.rewrite(SHIPPER.solution);
      await lab.see(/Work is not being kept: the browser's storage for this page is full/);
      await lab.becomes(SHIPPER.solution, () => lab.manifest());
      await lab.assertAccessible("a lesson whose work is not kept");
      await lab.shot("storage full");
    },
  ],
  [
    "a browser that forbids storage is said so at once, and the lab works",
    async (lab) => {
      await lab.context.addInitScript(() => {
        Object.defineProperty(globalThis, "localStorage", {
          get: () => {
            throw new DOMException("denied", "SecurityError");
          },
        });
      });
      await lab.openLesson(SHIPPER.id);
      await lab.see(/Work is not being kept: this browser forbids the page to store anything/);
      await lab.rewrite(SHIPPER.solution);
      await lab.checked();
      await lab.becomes(SHIPPER.solution, () => lab.manifest());
    },
  ],
  [
    "a script that never rests shows how far it has come and leaves with its text",
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.rewrite(busy);
      await lab.the("region", "Stage").getByText("busy").first().waitFor();
      const far = lab.page.locator(".progress-run");
      await far.waitFor();
      const before = await far.innerText();
      await lab.until("it comes on", async () => (await far.count()) && (await far.innerText()) !== before);
      await lab.click("button", "Stop here");
      await far.waitFor({ state: "detached" });
      await lab.checked();
      await lab.rewrite(SHIPPER.solution);
      await lab.checked();
      await lab.see(/^No problems/, lab.the("region", "Problems"));
    },
  ],
  [
    "a simulator that does not answer is started again, and said to be",
    async (lab) => {
      // The worker's own loop is stopped from outside, as a bug of ours would.
      await lab.context.addInitScript(() => {
        const Real = Worker;
        globalThis.Worker = class extends Real {
          postMessage(...all) {
            if (!globalThis.podlabDeaf) super.postMessage(...all);
          }
        };
      });
      await lab.openLesson(SHIPPER.id);
      await lab.page.evaluate(() => (globalThis.podlabDeaf = true));
      await lab.rewrite(SHIPPER.solution);
      await lab.see(/The simulator stopped \(it did not answer for 6 seconds\) and was started again/);
      await lab.page.evaluate(() => (globalThis.podlabDeaf = false));
      await lab.rewrite(`${SHIPPER.solution}# mine\n`);
      await lab.checked();
      await lab.see(/^No problems/, lab.the("region", "Problems"));
    },
  ],
  [
    "on paper there are the manifest, the pod and its run, and no buttons",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.predict();
      await lab.seekTo(12);
      await lab.page.emulateMedia({ media: "print" });
      for (const shown of [".editor-pane", ".stage-pane", ".lanes", ".pod-frame-box"]) {
        await lab.page.locator(shown).first().waitFor();
      }
      for (const hidden of [".transport", ".lesson", ".handle", ".problems", ".menus"]) {
        await lab.page.locator(hidden).first().waitFor({ state: "hidden" });
      }
      const [whole, seen] = await lab.page.evaluate(() => {
        const scroller = document.querySelector(".cm-scroller");
        return [scroller.scrollHeight, scroller.clientHeight];
      });
      assert.ok(seen >= whole - 1, `${seen} of ${whole} px of the manifest`);
      await lab.shot("print");
    },
  ],
]);
