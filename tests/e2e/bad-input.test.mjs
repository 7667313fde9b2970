// Whatever is put in, the page answers and goes on.
import { journeys } from "./lab.mjs";
import { INPUTS } from "./bad-input.mjs";
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
  ...INPUTS.map(([name, bytes, heading, shown]) => [
    `${name} is answered`,
    async (lab) => {
      await openFile(lab, bytes);
      // The heading of the sandbox's own text would be another one.
      await lab.see(shown);
      await lab.see(heading, lab.the("region", "Problems"));
      await isAlive(lab);
    },
  ]),
  ...[
    ["an endless loop", "while :; do :; done"],
    ["endless output", "while :; do echo y; done"],
    ["endless processes", "f() { f & f & }; f; sleep 1000"],
    ["endless memory", "x=y; while :; do x=$x$x; done"],
  ].map(([name, script]) => [
    `${name} in a script does not hold the page up`,
    async (lab) => {
      await lab.open("/sandbox");
      await lab.editorReady();
      await lab.rewrite(pod(script));
      await lab.press("ControlOrMeta+Enter");
      await lab.the("region", "Stage").getByText("busy").first().waitFor();
      await isAlive(lab);
    },
  ]),
]);
