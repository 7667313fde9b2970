// What a learner takes away and what is there the next time.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

// With an odd comment, odd spacing and no last newline: bytes are bytes.
const MINE = `${SHIPPER.solution}# mine: caf\u00e9 \u{1f433}\n#\n# end   `;

// The entries of a zip whose files are stored, not compressed.
function stored(bytes) {
  const entries = new Map();
  let at = 0;
  while (bytes.readUInt32LE(at) === 0x04034b50) {
    assert.equal(bytes.readUInt16LE(at + 8), 0, "stored");
    const size = bytes.readUInt32LE(at + 18);
    const nameSize = bytes.readUInt16LE(at + 26);
    const from = at + 30 + nameSize + bytes.readUInt16LE(at + 28);
    entries.set(bytes.toString("utf8", at + 30, at + 30 + nameSize), bytes.subarray(from, from + size));
    at = from + size;
  }
  return entries;
}

async function exported(lab, title) {
  return lab.download(async () => {
    await lab.click("button", "Export");
    await lab.the("dialog", "Take it away").getByText(title, { exact: true }).click();
  });
}

async function openWithMine(lab) {
  await lab.openLesson(SHIPPER.id);
  await lab.rewrite(MINE);
  await lab.page.locator(".changed").waitFor();
}

journeys([
  [
    "the downloaded manifest is the text in the editor, byte for byte",
    async (lab) => {
      await openWithMine(lab);
      const { name, bytes } = await exported(lab, "Download .yaml");
      assert.match(name, /\.yaml$/);
      assert.equal(bytes.toString("utf8"), MINE);
      assert.equal(await lab.manifest(), MINE);
    },
  ],
  [
    "the zip has the manifest, a kustomization, words and checks",
    async (lab) => {
      await openWithMine(lab);
      const { name, bytes } = await exported(lab, "Download .zip");
      assert.match(name, /\.zip$/);
      const entries = stored(bytes);
      const named = (pattern) => [...entries.keys()].find((entry) => pattern.test(entry));
      for (const pattern of [/kustomization\.yaml$/, /README/, /\.sh$/]) {
        assert.ok(named(pattern), `${pattern} in ${[...entries.keys()]}`);
      }
      const manifests = [...entries.values()].filter((bytes) => bytes.toString("utf8") === MINE);
      assert.equal(manifests.length, 1);
    },
  ],
  [
    "work is there after a reload, with undo",
    async (lab) => {
      await openWithMine(lab);
      await lab.kept(SHIPPER.id, /# mine: caf/);
      await lab.reload();
      await lab.editorReady();
      assert.equal(await lab.manifest(), MINE);
      await lab.page.locator(".cm-content").focus();
      await lab.press("ControlOrMeta+z");
      await lab.becomes(SHIPPER.start, () => lab.manifest());
    },
  ],
  [
    "the first page says where one was",
    async (lab) => {
      await openWithMine(lab);
      await lab.kept(SHIPPER.id, /# mine: caf/);
      await lab.open("/");
      await lab.page.locator("a.resume").click();
      await lab.editorReady();
      assert.equal(await lab.manifest(), MINE);
    },
  ],
  [
    "kept work can be forgotten",
    async (lab) => {
      await openWithMine(lab);
      await lab.kept(SHIPPER.id, /# mine: caf/);
      await lab.open("/");
      await lab.page.locator(".kept summary").click();
      await lab.click("button", `Forget ${SHIPPER.title}`);
      await lab.page.locator("a.resume").waitFor({ state: "detached" });
      const left = await lab.page.evaluate(() => Object.keys(localStorage));
      assert.deepEqual(left.filter((key) => key.startsWith("podlab.work.")), []);
    },
  ],
  [
    "reset brings the start, and what stood there can be brought back",
    async (lab) => {
      await openWithMine(lab);
      await lab.click("button", "reset");
      await lab.becomes(SHIPPER.start, () => lab.manifest());
      await lab.click("button", "bring back");
      await lab.becomes(MINE, () => lab.manifest());
    },
  ],
  [
    "a pasted manifest opens in the sandbox as it is",
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.click("button", "Open");
      await lab.the("textbox", "YAML").fill(MINE);
      await lab.click("button", "Open in the sandbox");
      await lab.becomes(MINE, () => lab.manifest());
    },
  ],
]);
