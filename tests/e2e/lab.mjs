// A learner at the lab: opens it, clicks, types and sees, by the names people read. Whatever the
// browser complains about, and any request that leaves the site, fails the test it happened in.
import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./server.mjs";

const here = dirname(fileURLToPath(import.meta.url));
// Another built site can be looked at: PODLAB_DIST=target/serve.
export const DIST = process.env.PODLAB_DIST ?? join(here, "../../dist");
export const SHOTS = join(here, "shots");
const AXE = readFileSync(join(here, "node_modules/axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
// Longer than anything takes on a busy machine; nothing here is a measurement.
const PATIENCE_MS = 20_000;

function browserPath() {
  const dirs = (process.env.PATH ?? "").split(":");
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const found = names.flatMap((name) => dirs.map((dir) => join(dir, name))).find(existsSync);
  if (!found) throw new Error("no Chromium on PATH");
  return found;
}

let shared;
async function house() {
  shared ??= Promise.all([
    chromium.launch({ executablePath: browserPath(), args: FLAGS }),
    serve(DIST),
  ]);
  const [browser, site] = await shared;
  return { browser, site };
}

async function closeHouse() {
  if (!shared) return;
  const { browser, site } = await house();
  await browser.close();
  await site.close();
}

// A copy of the site without one kind of file.
export async function siteWithout(pattern) {
  const dir = mkdtempSync(join(tmpdir(), "podlab-"));
  cpSync(DIST, dir, { recursive: true });
  const gone = readdirSync(dir, { recursive: true }).filter((name) => pattern.test(name));
  assert.notEqual(gone.length, 0, `no file like ${pattern}`);
  for (const name of gone) rmSync(join(dir, name), { recursive: true });
  return serve(dir);
}

// The journeys of a file share a browser and a server; each has a context of its own. One that fails
// is walked a second time, and its first failure printed: the machine is shared, the page is not.
// `list`: [name, walk(lab), {width, height, dark, still, touch, site: () => server of its own}].
export function journeys(list) {
  test.after(closeHouse);
  for (const [name, walk, options = {}] of list) {
    test(name, async () => {
      try {
        await journey(name, walk, options);
      } catch (error) {
        console.error(`walked again, failed first: ${name}\n${error.stack}`);
        await journey(name, walk, options);
      }
    });
  }
}

async function journey(name, walk, options) {
  const { browser, site } = await house();
  const own = await options.site?.();
  const lab = await Lab.at(browser, own ?? site, options);
  try {
    await walk(lab);
    lab.assertClean();
  } catch (error) {
    await lab.shot(`failed ${name}`).catch(() => {});
    throw lab.explain(error);
  } finally {
    await lab.context.close();
    await own?.close();
  }
}

// One visit outside a test.
export async function visit(options, walk) {
  const { browser, site } = await house();
  await walk(await Lab.at(browser, site, options));
  await closeHouse();
}

export class Lab {
  static async at(browser, site, options) {
    const lab = new Lab();
    lab.url = site.url;
    lab.site = site;
    lab.noise = [];
    lab.context = await browser.newContext({
      viewport: { width: options.width ?? 1280, height: options.height ?? 800 },
      locale: options.locale ?? "en-US",
      colorScheme: options.dark ? "dark" : "light",
      reducedMotion: options.still ? "reduce" : "no-preference",
      hasTouch: Boolean(options.touch),
      acceptDownloads: true,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    lab.context.setDefaultTimeout(PATIENCE_MS);
    lab.context.on("page", (page) => lab.watch(page));
    lab.page = await lab.context.newPage();
    return lab;
  }

  watch(page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        this.noise.push(`console ${message.type()}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => this.noise.push(`page error: ${error.message}`));
    page.on("request", (request) => {
      const url = request.url();
      if (/^(data|blob):/.test(url) || url.startsWith(this.url)) return;
      this.noise.push(`request elsewhere: ${url}`);
    });
    page.on("response", (response) => {
      if (response.status() >= 400) this.noise.push(`${response.status()} ${response.url()}`);
    });
  }

  // What a test makes happen on purpose.
  expectNoise(pattern) {
    const before = this.noise.length;
    this.allowNoise(pattern);
    assert.notEqual(this.noise.length, before, `the browser said nothing like ${pattern}`);
  }

  // What the browser may have said by now, or not yet.
  allowNoise(pattern) {
    this.noise = this.noise.filter((line) => !pattern.test(line));
  }

  assertClean() {
    assert.deepEqual(this.noise, [], "the browser complained");
  }

  explain(error) {
    if (this.noise.length) error.message += `\nthe browser said:\n${this.noise.join("\n")}`;
    return error;
  }

  // `route` is what comes after `#`, such as `/lesson/sidecar/log-shipping`.
  async open(route = "") {
    await this.page.goto(this.url + (route && `#${route}`));
    await this.up();
  }

  // A lesson with its editor there and its first run made.
  async openLesson(id) {
    await this.open(`/lesson/${id}`);
    await this.editorReady();
  }

  async editorReady() {
    await this.page.locator(".cm-content").waitFor();
    await this.checked();
  }

  // Waits for the verdict on the newest text and the end of its run: what is asked of the page
  // after that has one answer, on a slow machine too.
  async checked() {
    await this.page.locator('.lower[aria-busy="false"]').waitFor({ state: "attached" });
  }

  // Types over everything in the editor; a paste, as far as the editor can tell.
  async rewrite(text) {
    await this.page.locator(".cm-content").focus();
    await this.press("ControlOrMeta+a");
    await this.page.keyboard.insertText(text);
  }

  // What is to be copied out of the lab now.
  async manifest() {
    return this.copied(async () => {
      await this.click("button", "Export");
      await this.the("dialog", "Take it away").getByText("Copy", { exact: true }).click();
      await this.the("dialog", "Take it away").waitFor({ state: "detached" });
    });
  }

  // Answers what the step in sight asks, so that its run goes on.
  async predict() {
    const group = this.page.locator(".prediction:not(.recall)");
    await group.locator(".choice").first().click();
    await group.locator(".choice.chosen").waitFor({ state: "attached" });
  }

  // Presses everything that a selector finds, in one go: what one press changes cannot take the
  // next from under the pointer.
  async pressAll(selector) {
    return this.page.locator(selector).evaluateAll((found) => {
      for (const node of found) node.click();
      return found.length;
    });
  }

  // Found and pressed in one go: a run that ends in between takes the button away.
  async pause() {
    await this.the("button", "Pause").evaluateAll((found) => found.forEach((button) => button.click()));
  }

  // Puts the cursor some seconds into the run.
  async seekTo(secs) {
    await this.checked();
    await this.pause();
    await this.the("slider", "Instant").fill(String(secs * 10));
    await this.becomes(`00:${String(secs).padStart(2, "0")}.0`, () => this.clock());
  }

  // Puts the cursor at an end of the run: "Home" or "End".
  async seek(key) {
    await this.checked();
    await this.pause();
    await this.the("slider", "Timeline").focus();
    await this.press(key);
  }

  // Presses Tab until what has the focus is one of these, and says what was passed.
  async tabTo(selector, text = /./) {
    const passed = [];
    for (let i = 0; i < 400; i += 1) {
      await this.press("Tab");
      const [found, is] = await this.page.evaluate((selector) => {
        const on = document.activeElement;
        const name = on.getAttribute("aria-label") || on.innerText || on.value || "";
        return [name.trim().split("\n")[0], on !== document.body && on.matches(selector)];
      }, selector);
      passed.push(found);
      if (is && text.test(found)) return passed;
    }
    return assert.fail(`Tab never came to ${selector} ${text}: ${passed.join(" | ")}`);
  }

  async clock() {
    return this.page.getByRole("timer").innerText();
  }

  async tab(name) {
    await this.click("tab", name);
  }

  async panel() {
    return this.page.locator("#panel").innerText();
  }

  // Waits until a lesson's work is written down with this in it.
  async kept(id, text) {
    await this.until(`work of ${id} in storage`, async () => {
      const records = await this.page.evaluate(() => ({ ...localStorage }));
      const key = Object.keys(records).find((key) => key.startsWith(`podlab.work.${id}@`));
      return key && text.test(records[key]);
    });
  }

  async reload() {
    await this.page.reload();
    await this.up();
  }

  async up() {
    await this.page.locator("#shell").waitFor({ state: "detached" });
    await this.page.locator("main:not(#failed)").waitFor();
  }

  // Something with this role and name; a name that is a string has to match whole.
  the(role, name, within = this.page) {
    return within.getByRole(role, { name, exact: typeof name === "string" });
  }

  async click(role, name, within) {
    await this.the(role, name, within).first().click();
  }

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  async type(text) {
    await this.page.keyboard.type(text);
  }

  // Waits until the text is to be seen.
  async see(text, within = this.page) {
    await within.getByText(text).filter({ visible: true }).first().waitFor();
  }

  async dontSee(text, within = this.page) {
    assert.equal(await within.getByText(text).filter({ visible: true }).count(), 0, `${text}`);
  }

  // Waits until `question()` gives a true value, and gives it back.
  async until(what, question) {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await question();
      if (answer) return answer;
      if (Date.now() > end) assert.fail(`waited in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  // Asks until the answer is the expected one.
  async becomes(expected, question) {
    const end = Date.now() + PATIENCE_MS;
    let answer = await question();
    while (answer !== expected && Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await question();
    }
    assert.equal(answer, expected);
  }

  async download(start) {
    const [download] = await Promise.all([this.page.waitForEvent("download"), start()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }

  async copied(start) {
    await start();
    return this.page.evaluate(() => navigator.clipboard.readText());
  }

  async shot(name) {
    mkdirSync(SHOTS, { recursive: true });
    const file = `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.png`;
    await this.page.screenshot({ path: join(SHOTS, file) });
  }

  // Everything axe finds, as sentences.
  async accessibility() {
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(() => globalThis.axe.run(document));
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary}`),
    );
  }

  async assertAccessible(what) {
    assert.deepEqual(await this.accessibility(), [], `axe on ${what}`);
  }
}
