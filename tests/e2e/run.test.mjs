// The run: play, scrub both ways, every panel at the same instant, and why anything happened.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

async function openSolved(lab) {
  await lab.openLesson(SHIPPER.id);
  await lab.rewrite(SHIPPER.solution);
  await lab.page.locator(".changed").waitFor();
  // The step after the one that holds the run back for its prediction.
  await lab.predict();
}

const MANY = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 100
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
`;

journeys([
  [
    "plays, pauses, and steps from event to event",
    async (lab) => {
      await openSolved(lab);
      await lab.seek("Home");
      await lab.becomes("00:00.0", () => lab.clock());
      await lab.click("button", "Next event");
      const after = await lab.clock();
      await lab.click("button", "20x");
      await lab.click("button", "Play");
      await lab.until("the clock runs", async () => (await lab.clock()) > "00:05.0");
      await lab.pause();
      const paused = await lab.clock();
      assert.ok(paused > after, `${paused} after ${after}`);
      for (let i = 0; i < 5; i += 1) await lab.click("button", "Previous event");
      const before = await lab.clock();
      assert.ok(before < paused, `${before} before ${paused}`);
    },
  ],
  [
    "scrubs back, and every panel goes back with it",
    async (lab) => {
      await openSolved(lab);
      await lab.seek("End");
      await lab.tab("logs");
      await lab.until("a shipped line", async () => (await lab.panel()).includes("shipped:"));
      await lab.tab("kubectl");
      await lab.until("the deletion", async () => (await lab.panel()).includes("Terminating"));
      await lab.seek("Home");
      await lab.press("Shift+ArrowRight", "Shift+ArrowRight");
      assert.doesNotMatch(await lab.panel(), /Terminating/);
      await lab.tab("logs");
      assert.doesNotMatch(await lab.panel(), /shipped:/);
      await lab.seekTo(30);
      await lab.until("a shipped line", async () => (await lab.panel()).includes("shipped:"));
    },
  ],
  [
    "a link followed while the run writes its instant into the address leads where it says",
    async (lab) => {
      await openSolved(lab);
      await lab.seekTo(30);
      // Both within one turn of the browser, as a click and a frame of a playing run can be.
      await lab.page.evaluate(() => {
        document.querySelector("a.brand").click();
        for (const button of document.querySelectorAll("button")) {
          if (button.getAttribute("aria-label") === "Next event") button.click();
        }
      });
      await lab.page.locator(".lesson-card").filter({ visible: true }).first().waitFor();
    },
  ],
  [
    "answers kubectl at the instant shown, and does what it is told",
    async (lab) => {
      await openSolved(lab);
      await lab.seekTo(30);
      await lab.tab("kubectl");
      const ask = async (line, answer) => {
        await lab.page.locator(".kubectl-line").fill(line);
        await lab.press("Enter");
        await lab.until(answer, async () => (await lab.panel()).includes(answer));
      };
      await ask("describe pod shop", "Containers:");
      await ask("get nonsense", 'the server doesn\'t have a resource type "nonsense"');
      await lab.shot("console");
      await ask("delete pod shop", 'pod "shop" deleted');
      await lab.checked();
      await lab.seekTo(31);
      await lab.until("the deletion", async () => (await lab.panel()).includes("Terminating"));
      await lab.assertAccessible("the kubectl console");
    },
  ],
  [
    "tells why an event happened and which line of the manifest did it",
    async (lab) => {
      await openSolved(lab);
      await lab.seek("End");
      await lab.tab("events");
      await lab.page.locator("#panel .event", { hasText: "shipper" }).first().click();
      const story = lab.page.locator(".inspector");
      await story.getByText("Why?").waitFor();
      assert.ok((await story.locator(".story li").count()) > 0);
      await lab.click("button", "Show in manifest", story);
      await lab.page.locator(".cm-why").first().waitFor();
    },
  ],
  [
    "what is picked is lit in the list, the lanes, the log, the stage and the manifest at once",
    async (lab) => {
      await openSolved(lab);
      await lab.seek("End");
      await lab.tab("logs");
      await lab.page.locator("#panel .log-line", { hasText: "shipped:" }).first().getByRole("button").click();
      await lab.page.locator("#panel .log-line.picked").first().waitFor();
      await lab.page.locator(".picked-ring").waitFor({ state: "attached" });
      await lab.page.locator(".card.picked", { hasText: "shipper" }).waitFor();
      await lab.page.locator(".cm-why").first().waitFor();
      await lab.shot("picked");
    },
  ],
  [
    "what lies under the cursor line is lit in list, lanes, stage and manifest until it plays on",
    async (lab) => {
      await openSolved(lab);
      await lab.seek("Home");
      await lab.tab("events");
      const drawing = await lab.page.locator("#timeline").boundingBox();
      await lab.page.mouse.move(drawing.x + 4, drawing.y + 4);
      await lab.page.mouse.down();
      await lab.page.mouse.move(drawing.x + drawing.width * 0.93, drawing.y + 4, { steps: 8 });
      await lab.page.mouse.up();
      await lab.page.locator('#panel .event.picked[aria-current="true"]').waitFor();
      await lab.page.locator(".picked-ring").waitFor({ state: "attached" });
      await lab.page.locator(".cm-why").first().waitFor();
      assert.equal(await lab.page.locator(".inspector").count(), 0, "no story opens by itself");
      await lab.shot("under the cursor line");
      await lab.seekTo(12);
      await lab.page.locator(":is(.card, .drawer).picked").first().waitFor();
      await lab.click("button", "Play");
      await lab.page.locator(":is(.card, .drawer).picked").waitFor({ state: "detached" });
      await lab.page.locator(".cm-why").waitFor({ state: "detached" });
    },
  ],
  [
    "the wheel zooms the lanes where it stands, and the lanes are a table to who hears them",
    async (lab) => {
      await openSolved(lab);
      await lab.seekTo(20);
      const ticks = () => lab.page.locator(".ruler text").allTextContents();
      const before = await ticks();
      const drawing = await lab.page.locator("#timeline").boundingBox();
      await lab.page.mouse.move(drawing.x + drawing.width / 2, drawing.y + 30);
      await lab.page.mouse.wheel(0, -600);
      await lab.until("a finer ruler", async () => {
        const [a, b] = (await ticks()).map((text) => Number.parseFloat(text));
        const [c, d] = before.map((text) => Number.parseFloat(text));
        return b - a < d - c;
      });
      await lab.page.mouse.wheel(0, 3000);
      await lab.becomes(before.join(), async () => (await ticks()).join());
      const table = lab.the("table", "States of each container in order");
      assert.match(await table.getByRole("row").filter({ hasText: "shipper" }).innerText(), /Running, \d+ s to/);
      assert.match(await lab.the("slider", "Timeline").getAttribute("aria-valuetext"), /^00:20\.0: \w/);
    },
  ],
  [
    "each panel is entered at its top, and the log at its end",
    async (lab) => {
      await openSolved(lab);
      await lab.seekTo(35);
      await lab.tab("logs");
      const top = () => lab.page.locator("#panel").evaluate((panel) => panel.scrollTop);
      await lab.tab("trace");
      await lab.until("the end of the trace", async () => (await top()) > 100);
      await lab.tab("files");
      await lab.page.locator("#panel .files").waitFor();
      assert.equal(await top(), 0);
    },
  ],
  [
    "a hundred pods are cells, and are counted by what they do",
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.rewrite(MANY);
      await lab.checked();
      await lab.seek("End");
      await lab.see("100 Running", lab.the("list", "Pods by status"));
      assert.equal(await lab.page.locator(".pod-dot-cell").count(), 100);
      await lab.assertAccessible("a hundred pods");
      await lab.shot("a hundred pods");
    },
  ],
  [
    "answers for what is on the stage: pod, container, volume",
    async (lab) => {
      await openSolved(lab);
      await lab.seekTo(15);
      const stage = lab.the("region", "Stage");
      for (const name of [/container shipper/, /^volume logs/]) {
        await stage.getByRole("button", { name }).first().click();
        await lab.page.locator(".inspector dl dd").first().waitFor();
        await lab.click("button", "Close the story");
      }
    },
  ],
  [
    "shows the files of a volume at that instant",
    async (lab) => {
      await openSolved(lab);
      await lab.seekTo(20);
      await lab.tab("files");
      await lab.until("the log's name", async () => (await lab.panel()).includes("/app.log"));
      await lab.until("its text", async () => /INFO order \d+ accepted/.test(await lab.panel()));
    },
  ],
]);
