// Not a test: prints how long the browser takes from a key to the verdict, its frame times while a
// run plays, and how soon it answers bad input. `node measure.mjs [lesson id]`, on a quiet machine,
// after cargo xtask build. With YLS=DIR, where `npm install yaml-language-server` ran and
// kubernetes.json is a schema of all kinds, that checks the same files in the same run.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { SHIPPER, LESSONS } from "./lessons.mjs";
import { INPUTS } from "./bad-input.mjs";
import { visit } from "./lab.mjs";

const ROUNDS = 20;
const WARM_ROUNDS = 5;
const PLAYED_MS = 6000;
// What the last input left to do is done by then.
const REST_MS = 500;

const lesson = LESSONS.find(({ id }) => id === process.argv[2]) ?? SHIPPER;

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function summary(name, numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const words = [0.5, 0.95, 1].map((share) => `${at(share).toFixed(1)}`);
  console.log(`${name}: median ${words[0]} ms, 95 % ${words[1]} ms, most ${words[2]} ms (${sorted.length})`);
}

// The manifests of benches/, each with another version of an image in its middle.
function manifest(nLines, version) {
  const one = readFileSync(new URL("../../benches/src/application.yaml", import.meta.url), "utf8");
  const n = Math.max(1, Math.floor((nLines - 20 - 1) / (one.split("\n").length - 1)) + 1);
  const all = Array.from({ length: n }, (_, i) => one.replaceAll("web-0", `web-${i}`));
  const middle = Math.floor(n / 2);
  all[middle] = all[middle].replace("nginx:1.27", `nginx:1.${version}`);
  return all.join("");
}

// Text to diagnostics, there and back, in a worker of its own: what is typed is never what was.
async function inWorker(lab) {
  for (const nLines of [50, 340, 700]) {
    const texts = Array.from({ length: ROUNDS + WARM_ROUNDS }, (_, i) => manifest(nLines, i));
    const times = await lab.page.evaluate(async (texts) => {
      const address = document.querySelector("meta[name=podlab-worker]").content;
      const worker = new Worker(new URL(address, document.baseURI), { type: "module" });
      // ToWorker::Check and FromWorker::Checked as postcard writes them.
      const varint = (n) => (n < 128 ? [n] : [(n & 127) | 128, ...varint(n >>> 7)]);
      const answer = (variant) =>
        new Promise((resolve) => {
          worker.onmessage = ({ data }) => data[0] === variant && resolve(data.length);
        });
      await answer(0);
      const times = [];
      for (const [i, text] of texts.entries()) {
        const bytes = new TextEncoder().encode(text);
        const message = new Uint8Array([0, ...varint(i + 1), ...varint(bytes.length), ...bytes, 0]);
        const checked = answer(1);
        const from = performance.now();
        worker.postMessage(message);
        await checked;
        times.push(performance.now() - from);
      }
      worker.terminate();
      return times;
    }, texts);
    const own = times.slice(WARM_ROUNDS);
    summary(`text to diagnostics in the browser, ${texts[0].split("\n").length - 1} lines`, own);
    const other = await languageServer(texts);
    if (!other) continue;
    summary("  yaml-language-server", other.slice(WARM_ROUNDS));
    const ratio = median(other.slice(WARM_ROUNDS)) / median(own);
    console.log(`  it takes ${ratio.toFixed(1)} times as long`);
  }
}

async function languageServer(texts) {
  const dir = process.env.YLS;
  if (!dir) return null;
  const require = createRequire(`${dir}/`);
  const home = "yaml-language-server/out/server/src/languageservice/yamlLanguageService.js";
  const { TextDocument } = require("vscode-languageserver-textdocument");
  const service = require(home).getLanguageService({
    schemaRequestService: async () => "{}",
    workspaceContext: { resolveRelativePath: (path, base) => new URL(path, base).href },
    telemetry: { send() {}, sendError() {}, sendTrack() {} },
    clientCapabilities: {},
  });
  const schema = JSON.parse(readFileSync(join(dir, "kubernetes.json"), "utf8"));
  const schemas = [{ uri: "file:///kubernetes.json", fileMatch: ["*.yaml"], schema }];
  service.configure({ validate: true, customTags: [], schemas });
  const times = [];
  for (const [i, text] of texts.entries()) {
    const from = performance.now();
    const found = await service.doValidation(TextDocument.create("file:///a.yaml", "yaml", i, text), false);
    times.push(performance.now() - from);
    if (found.length) throw new Error(`yaml-language-server: ${found[0].message}`);
  }
  return times;
}

// Breaks and repairs a line by turns, where the cursor is; each ends when the problems list says so.
async function keyToVerdict(lab, what, key) {
  const times = [];
  for (let i = 0; i < ROUNDS; i += 1) {
    const broken = i % 2 === 0;
    await lab.page.evaluate((broken) => {
      globalThis.verdict = new Promise((resolve) => {
        addEventListener("keydown", () => (globalThis.from = performance.now()), {
          once: true,
          capture: true,
        });
        new MutationObserver((_, observer) => {
          const now = document.querySelector("section.problems")?.textContent ?? "";
          if (!now.startsWith(broken ? "Problems (" : "No problems")) return;
          observer.disconnect();
          requestAnimationFrame(() => resolve(performance.now() - globalThis.from));
        }).observe(document.getElementById("main"), {
          subtree: true,
          childList: true,
          characterData: true,
        });
      });
    }, broken);
    await lab.press(broken ? key : "Backspace");
    times.push(await lab.page.evaluate(() => globalThis.verdict));
  }
  summary(`key to verdict on the screen, ${what}`, times);
}

async function frames(lab, speed) {
  await lab.seek("Home");
  await lab.click("button", `${speed}x`);
  await lab.click("button", "Play");
  const times = await lab.page.evaluate(async (ms) => {
    const gaps = [];
    let last = await new Promise(requestAnimationFrame);
    const end = last + ms;
    while (last < end) {
      const now = await new Promise(requestAnimationFrame);
      gaps.push(now - last);
      last = now;
    }
    return gaps;
  }, PLAYED_MS);
  await lab.pause();
  summary(`frames at ${speed}x`, times);
}

// From the file chosen to a message about it on the screen; what stands there before is another.
async function badInput(lab) {
  for (const [name, bytes] of [["half a document, once more", INPUTS[1][1]], ...INPUTS]) {
    if (await lab.page.locator("dialog[open]").count()) await lab.press("Escape");
    await lab.open("/sandbox");
    await lab.editorReady();
    await lab.rewrite("kind: Nothing");
    await lab.see(/^Problems/, lab.the("region", "Problems"));
    await lab.checked();
    await lab.page.waitForTimeout(REST_MS);
    await lab.click("button", "Open");
    await lab.page.evaluate(() => {
      globalThis.answered = new Promise((resolve) => {
        addEventListener("change", () => (globalThis.from = performance.now()), { once: true, capture: true });
        const said = () =>
          [...document.querySelectorAll(".problems-none, .problem-text")].map((n) => n.textContent).join() +
          (document.querySelector(".notice > span")?.textContent ?? "");
        const before = said();
        const look = () => {
          if (said() === before) return requestAnimationFrame(look);
          resolve(performance.now() - globalThis.from);
        };
        look();
      });
    });
    const file = { name: "bad.yaml", mimeType: "application/yaml", buffer: Buffer.from(bytes) };
    await lab.page.locator("dialog input[type=file]").setInputFiles(file);
    const ms = await lab.page.evaluate(() => globalThis.answered);
    console.log(`${name}: a message after ${ms.toFixed(0)} ms`);
  }
}

await visit({}, async (lab) => {
  await lab.openLesson(lesson.id);
  const opened = await lab.page.evaluate(() => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    return [paint?.startTime ?? 0, performance.now()];
  });
  console.log(`first paint ${opened[0].toFixed(0)} ms, verdict and editor there by ${opened[1].toFixed(0)} ms`);
  await lab.page.locator(".cm-content").focus();
  await lab.press("ControlOrMeta+Home");
  await keyToVerdict(lab, "the first line broken", "{");
  await lab.page.locator(".cm-line", { hasText: /^kind: Pod/ }).click();
  await lab.press("End");
  await keyToVerdict(lab, "a letter in a value", "x");
  await inWorker(lab);
  await lab.rewrite(lesson.solution);
  await lab.checked();
  const choice = lab.page.locator(".choice").first();
  if (await choice.count()) await choice.click();
  for (const speed of [1, 5, 20]) await frames(lab, speed);
  await badInput(lab);
});
