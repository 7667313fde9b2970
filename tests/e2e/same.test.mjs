// Same manifest, same seed, same bytes: the page's trace is the command line's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { journeys } from "./lab.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
// How long a run of the sandbox is, in simulated seconds.
const SECS = "300";

const same = (name) => [
  `runs ${name} as the command line does, byte for byte`,
  async (lab) => {
    const file = join(ROOT, `tests/lifecycle/${name}.yaml`);
    const program = join(ROOT, "target/debug/podlab");
    const args = ["simulate", file, "--for", SECS];
    const expected = execFileSync(program, args, { encoding: "utf8" });
    await lab.open("/sandbox");
    await lab.editorReady();
    await lab.rewrite(readFileSync(file, "utf8"));
    await lab.page.locator(".changed").waitFor();
    await lab.checked();
    const got = await lab.copied(async () => {
      await lab.click("button", "Export");
      await lab.the("dialog", "Take it away").getByText("Copy the trace").click();
      await lab.the("dialog", "Take it away").waitFor({ state: "detached" });
    });
    assert.equal(got, expected);
  },
];

journeys(["crash-loop", "init-then-sidecar", "liveness", "rollout"].map(same));
