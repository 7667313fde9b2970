// Not a test: prints how long the browser takes from a key to the verdict, and its frame times
// while a run plays. `node measure.mjs [lesson id]`, on a quiet machine, after cargo xtask build.
import { SHIPPER, LESSONS } from "./lessons.mjs";
import { INPUTS } from "./bad-input.mjs";
import { visit } from "./lab.mjs";

const ROUNDS = 20;
const PLAYED_MS = 6000;

const lesson = LESSONS.find(({ id }) => id === process.argv[2]) ?? SHIPPER;

function summary(name, numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const words = [0.5, 0.95, 1].map((share) => `${at(share).toFixed(1)}`);
  console.log(`${name}: median ${words[0]} ms, 95 % ${words[1]} ms, most ${words[2]} ms (${sorted.length})`);
}

// Breaks and repairs the first line by turns; each ends when the problems list says so.
async function keyToVerdict(lab) {
  await lab.page.locator(".cm-content").focus();
  await lab.press("ControlOrMeta+Home");
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
    await lab.press(broken ? "{" : "Backspace");
    times.push(await lab.page.evaluate(() => globalThis.verdict));
  }
  summary("key to verdict on the screen", times);
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

// From the file chosen to a message about it on the screen.
async function badInput(lab) {
  for (const [name, bytes] of INPUTS) {
    await lab.open("/sandbox");
    await lab.editorReady();
    await lab.click("button", "Open");
    await lab.page.evaluate(() => {
      globalThis.answered = new Promise((resolve) => {
        addEventListener("change", () => (globalThis.from = performance.now()), { once: true, capture: true });
        const look = () => {
          const said = document.querySelector(".notice, .problems h3, .problems-none")?.textContent ?? "";
          const old = !globalThis.from || said.startsWith("No problems");
          if (old && performance.now() < (globalThis.from ?? Infinity) + 10_000) return requestAnimationFrame(look);
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
  await keyToVerdict(lab);
  await lab.rewrite(lesson.solution);
  await lab.checked();
  const choice = lab.page.locator(".choice").first();
  if (await choice.count()) await choice.click();
  for (const speed of [1, 5, 20]) await frames(lab, speed);
  await badInput(lab);
});
