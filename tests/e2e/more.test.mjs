// What a learner can do besides the lesson: act on the cluster, work against a clock, read German,
// bring lessons along.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DIST, journeys } from "./lab.mjs";
import { LESSONS, SHIPPER } from "./lessons.mjs";
import { serve } from "./server.mjs";

const DRILL = LESSONS.find(({ id }) => id === "drills/writer-and-reader");

// A zip with these files, stored.
function zipped(files) {
  const parts = Object.entries(files).flatMap(([name, text]) => {
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt32LE(Buffer.byteLength(text), 18);
    head.writeUInt32LE(Buffer.byteLength(text), 22);
    head.writeUInt16LE(Buffer.byteLength(name), 26);
    return [head, Buffer.from(name), Buffer.from(text)];
  });
  return Buffer.concat(parts);
}

// The site's own lessons as a pack called team: its list of tracks begins as the catalogue does.
function teamPack() {
  const dir = join(DIST, readdirSync(DIST).find((name) => /^lessons/.test(name)));
  const text = (words) => Buffer.concat([Buffer.from([words.length]), Buffer.from(words)]);
  const head = [Buffer.from("podlab-pack 1\n"), text("team"), text("Our team")];
  return {
    "team/pack.bin": Buffer.concat([...head, readFileSync(join(dir, "index.bin"))]),
    "team/sidecar-log-shipping.bin": readFileSync(join(dir, "sidecar-log-shipping.bin")),
  };
}

// The site with that pack beside it, and with one that is named and not there.
function siteWithPacks() {
  const dir = mkdtempSync(join(tmpdir(), "podlab-"));
  cpSync(DIST, dir, { recursive: true });
  for (const [name, bytes] of Object.entries(teamPack())) {
    mkdirSync(dirname(join(dir, "packs", name)), { recursive: true });
    writeFileSync(join(dir, "packs", name), bytes);
  }
  writeFileSync(join(dir, "packs/index.json"), '["team", "gone"]');
  return serve(dir);
}

const PACKED = '.pack .lesson-card[href="#/lesson/team/sidecar/log-shipping"]';

async function openZip(lab, name, buffer) {
  const file = { name, mimeType: "application/zip", buffer };
  await lab.page.locator("input[type=file]").first().setInputFiles(file);
}

journeys([
  [
    "a container is killed where it stands on the stage, and that is taken back",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.rewrite(SHIPPER.solution);
      await lab.predict();
      await lab.seekTo(15);
      const stage = lab.the("region", "Stage");
      await stage.getByRole("button", { name: /container app/ }).click();
      await lab.click("button", "Kill its process (SIGKILL)");
      await lab.checked();
      await lab.see(/^After the fault/, lab.the("region", "Details"));
      await lab.seekTo(16);
      await lab.page.locator(".card", { hasText: "app" }).locator(".card-restarts").first().waitFor();
      await lab.shot("killed");
      await lab.click("button", "Faults");
      const dialog = lab.the("dialog", "Do something to it");
      await lab.see("kill pod/shop -c app KILL", dialog);
      await lab.assertAccessible("the list of faults");
      await lab.shot("faults");
      await lab.click("button", "Take it back", dialog.locator(".acts-done"));
      await lab.checked();
      await lab.seekTo(16);
      await lab.page.locator(".card-restarts").waitFor({ state: "detached" });
    },
  ],
  [
    "a value is changed before it is done",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.predict();
      await lab.seekTo(15);
      await lab.page.locator(".drawer").first().click();
      await lab.click("button", /^Fill it/);
      const line = lab.page.locator(".act-line");
      await lab.becomes("8Mi", () => lab.page.evaluate(() => getSelection().toString()));
      await line.fill("fill pod/shop logs 1Mi");
      await line.press("Enter");
      await lab.checked();
      await lab.seekTo(16);
      await lab.tab("events");
      await lab.until("the act", async () => (await lab.panel()).includes("fill pod/shop logs 1Mi"));
    },
  ],
  [
    "a drill opens with the console, and its clock runs from the first key until it is stopped",
    async (lab) => {
      await lab.openLesson(DRILL.id);
      await lab.becomes("true", () => lab.the("tab", "kubectl").getAttribute("aria-selected"));
      const clock = lab.page.locator(".drill-time");
      assert.match(await clock.innerText(), /min from your first key$/);
      await lab.rewrite(`${DRILL.start}kind: Pod\n`);
      await lab.until("it runs", async () => /^0:0[1-9] of/.test(await clock.innerText()));
      await lab.click("button", "Stop the drill's clock");
      await lab.the("button", "Let the drill's clock go on").waitFor();
      await lab.assertAccessible("a drill");
      await lab.shot("drill");
      await lab.rewrite(DRILL.solution);
      await lab.checked();
      await lab.seek("End");
      await lab.until("it is done", async () => /^done in 0:\d\d$/.test(await clock.innerText()));
    },
  ],
  [
    "page and lesson turn German and back, and stay so",
    async (lab) => {
      await lab.openLesson("init/first-init");
      await lab.rewrite("kind: Pod # mine\n");
      await lab.click("button", /^Language: EN/);
      await lab.the("button", "Eingriffe").waitFor();
      await lab.editorReady();
      await lab.becomes("de", () => lab.page.evaluate(() => document.documentElement.lang));
      await lab.the("region", "Probleme").waitFor();
      assert.match(await lab.page.locator(".cm-content").innerText(), /mine/);
      await lab.assertAccessible("a lesson in German");
      await lab.shot("german lesson");
      await lab.reload();
      await lab.the("button", "Eingriffe").waitFor();
      await lab.open("/");
      await lab.see("Mehrere Container, ein Pod");
      await lab.shot("german catalogue");
      await lab.click("button", /^Sprache: DE/);
      await lab.see("Several containers, one pod");
    },
  ],
  [
    "a browser that speaks German is answered in German",
    async (lab) => {
      await lab.open();
      await lab.see("Mehrere Container, ein Pod");
    },
    { locale: "de-AT" },
  ],
  [
    "a zip that is no pack of lessons is a sentence",
    async (lab) => {
      await lab.open();
      await lab.page.locator(".lesson-card").first().waitFor();
      const cases = {
        "noise.zip": Buffer.from("nothing of a zip"),
        "other.zip": zipped({ "readme.txt": "hello" }),
        "torn.zip": zipped({ "team/pack.bin": "podlab-pack 1\n\u0001\u0002" }),
        "old.zip": zipped({ "team/pack.bin": "podlab-pack 0\n" }),
      };
      for (const [name, bytes] of Object.entries(cases)) {
        await openZip(lab, name, bytes);
        await lab.see(new RegExp(`^${name}: .+`));
      }
      assert.equal(await lab.page.locator(".pack").count(), 0);
    },
  ],
  [
    "a pack of lessons is opened, taught from, and forgotten",
    async (lab) => {
      await lab.open();
      await lab.page.locator(".lesson-card").first().waitFor();
      await openZip(lab, "team.zip", zipped(teamPack()));
      await lab.see("Our team is open; it stays until you leave.");
      await lab.the("heading", "Our team").waitFor();
      await lab.assertAccessible("a catalogue with a pack");
      await lab.shot("pack");
      await lab.page.locator(PACKED).click();
      await lab.editorReady();
      assert.equal(await lab.manifest(), SHIPPER.start);
      await lab.page.locator("a.brand").click();
      await lab.click("button", "Forget Our team");
      await lab.page.locator(".pack").waitFor({ state: "detached" });
      await lab.open("/lesson/team/sidecar/log-shipping");
      await lab.see("The pack team is not here. Open its file again.");
      lab.expectNoise(/404/);
      lab.noise = [];
    },
  ],
  [
    "packs beside the site are in its catalogue; one that is missing is a line there",
    async (lab) => {
      await lab.open();
      await lab.the("heading", "Our team").waitFor();
      await lab.see(/^gone: The server answered 404/);
      await lab.page.locator(PACKED).click();
      await lab.editorReady();
      await lab.reload();
      await lab.editorReady();
      assert.equal(await lab.manifest(), SHIPPER.start);
      lab.expectNoise(/404/);
      lab.noise = [];
    },
    { site: siteWithPacks },
  ],
]);
