// Whatever is put in, the page answers and goes on.
import assert from "node:assert/strict";
import { journeys } from "./lab.mjs";
import { SHIPPER } from "./lessons.mjs";

const pod = (script) => `apiVersion: v1
kind: Pod
metadata: {name: busy}
spec:
  containers:
    - name: app
      image: busybox:1.36
      command: ["sh", "-c"]
      args:
        - |
          ${script}
`;

const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"]
  .concat([..."bcdefghij"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefghi"[i]}`)}]`))
  .join("\n");

const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 2654435761) >>> 13 & 255));
const half = SHIPPER.start.slice(0, SHIPPER.start.length / 2);
const large = `${"# a line of a large file, long enough to be one\n".repeat(110_000)}${SHIPPER.start}`;

// [name, bytes, what the page then shows]
const INPUTS = [
  ["an empty file", "", /Checking|No problems|Problems|nothing/i],
  ["half a document", half, /Problems \(|No problems/],
  ["5 MB of YAML", large, /Problems \(|No problems/],
  ["bytes that are no text", noise, /Problems \(|could not be read|not text/],
  ["an alias bomb", laughs, /Problems \(/],
  ["brackets ten thousand deep", "[".repeat(10_000), /Problems \(/],
];

async function openFile(lab, bytes) {
  await lab.open("/sandbox");
  await lab.editorReady();
  await lab.click("button", "Open");
  const file = { name: "bad.yaml", mimeType: "application/yaml", buffer: Buffer.from(bytes) };
  await lab.page.locator("dialog input[type=file]").setInputFiles(file);
}

async function isAlive(lab) {
  if (await lab.page.locator("dialog[open]").count()) await lab.press("Escape");
  await lab.rewrite(SHIPPER.solution);
  await lab.see(/No problems/, lab.the("region", "Problems"));
  await lab.becomes(SHIPPER.solution, () => lab.manifest());
}

journeys([
  ...INPUTS.map(([name, bytes, shown]) => [
    `${name} is answered`,
    async (lab) => {
      await openFile(lab, bytes);
      await lab.see(shown);
      await isAlive(lab);
    },
  ]),
  ...[
    ["an endless loop", "while :; do :; done"],
    ["endless output", "while :; do echo y; done"],
    ["endless processes", "f() { f & f & }; f; sleep 1000"],
    ["endless memory", "x=y; while :; do x=$x$x; done"],
  ].map(([name, script]) => [
    `${name} in a script stops at a limit that is said`,
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.rewrite(pod(script));
      await lab.press("ControlOrMeta+Enter");
      await lab.seek("End");
      await lab.the("region", "Stage").getByText("busy").first().waitFor();
      assert.ok(await lab.clock());
      await isAlive(lab);
    },
  ]),
]);
