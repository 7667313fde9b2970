// The site as files: opens below a path, offline after the first visit, readable when broken.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DIST, journeys, siteWithout } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";
import { serve } from "./server.mjs";

journeys([
  [
    "opens from a sub-path and leaves no request behind",
    async (lab) => {
      await lab.open();
      await lab.see("Podlab");
      const policy = await lab.page.locator("meta[http-equiv]").getAttribute("content");
      assert.match(policy, /default-src 'none'/);
    },
  ],
  [
    "names every file it needs by content, and asks for no other address",
    async () => {
      const html = readFileSync(join(DIST, "index.html"), "utf8");
      assert.doesNotMatch(html, /(src|href)=["']?(https?:)?\/\//);
      assert.doesNotMatch(html, /(src|href)=["']?\//);
      const scripts = readdirSync(DIST).filter((name) => /\.(js|css|wasm)$/.test(name));
      const plain = scripts.filter((name) => !/-[0-9a-f]{10,16}(_bg)?\./.test(name));
      assert.deepEqual(plain, ["sw.js"]);
    },
  ],
  [
    "a lesson that is opened does not wait behind the files of all others",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      const lessons = lab.site.seen.filter((path) => /lessons-[0-9a-f]+\/.*\.bin$/.test(path));
      assert.equal(lessons.length, 2, `${lessons.slice(0, 5)}`);
      const twice = lab.site.seen.filter((path) => /(worker\/?[^/]*\/start|editor-[0-9a-f]+)\.js$/.test(path));
      assert.equal(new Set(twice).size, twice.length, `${twice}`);
    },
    { site: () => serve(DIST) },
  ],
  [
    "opens again without a network, with the editor and every lesson",
    async (lab) => {
      await lab.open();
      await lab.page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
      await lab.becomes(true, () =>
        lab.page.evaluate(() => Boolean(navigator.serviceWorker.controller)),
      );
      await lab.site.close();
      await lab.reload();
      await lab.see("Podlab");
      const missing = await lab.page.evaluate(async () => {
        const names = ["podlab-editor", "podlab-worker", "podlab-lessons"];
        const meta = (name) => document.querySelector(`meta[name=${name}]`).content;
        const urls = names.map((name) => meta(name).replace(/\/$/, "/index.bin"));
        const answers = await Promise.all(urls.map((url) => fetch(url).catch(() => null)));
        return urls.filter((_, i) => !answers[i]?.ok);
      });
      assert.deepEqual(missing, []);
    },
    { site: () => serve(DIST) },
  ],
  [
    "says what to do when a file of it does not come",
    async (lab) => {
      await lab.page.goto(lab.url);
      await lab.see("Podlab stopped");
      await lab.see(/could not be loaded/);
      await lab.assertAccessible("the page of a failed start");
      lab.expectNoise(/404|Failed to load|WebAssembly/);
    },
    { site: () => siteWithout(/^podlab-[0-9a-f]+_bg\.wasm$/) },
  ],
  [
    "runs the first lesson with what is loaded first, and says when a part does not come",
    async (lab) => {
      await lab.openLesson("start/first-run");
      await lab.predict();
      await lab.seek("End");
      assert.notEqual(await lab.clock(), "00:00.0");
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.rewrite("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n");
      await lab.see(/A part of the lab could not be loaded/);
      lab.expectNoise(/404|Failed to load/);
      lab.noise = [];
    },
    { site: () => siteWithout(/split_|chunk_|_later/) },
  ],
  [
    "shows a readable page when the program breaks down",
    async (lab) => {
      await lab.openLesson(SHIPPER.id);
      await lab.rewrite(`${SHIPPER.start}# caf\u00e9\n`);
      await lab.kept(SHIPPER.id, /caf/);
      await lab.page.evaluate(() => {
        setTimeout(() => {
          throw new WebAssembly.RuntimeError("unreachable");
        });
      });
      await lab.see("Podlab stopped");
      const { name, bytes } = await lab.download(() => lab.click("button", "Download my work"));
      assert.equal(name, "podlab-work.txt");
      // What was saved is what "Open" reads, in a page that starts anew.
      await lab.page.goto("about:blank");
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.click("button", "Open");
      const file = { name, mimeType: "text/plain", buffer: bytes };
      await lab.page.locator("dialog input[type=file]").setInputFiles(file);
      await lab.see("1 pieces of work were read from podlab-work.txt.");
      lab.expectNoise(/unreachable/);
    },
  ],
]);
