// Runs every journey, two files at a time: `node run.mjs [part of a file's name...]`.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
if (!existsSync(join(here, "../../dist/index.html"))) {
  console.error("dist/ is missing: cargo xtask build");
  process.exit(1);
}
const wanted = process.argv.slice(2);
const files = readdirSync(here)
  .filter((name) => name.endsWith(".test.mjs"))
  .filter((name) => wanted.length === 0 || wanted.some((part) => name.includes(part)))
  .map((name) => join(here, name));
const flags = ["--test", "--test-concurrency=2", "--test-reporter=spec", "--test-timeout=600000"];
const child = spawn(process.execPath, [...flags, ...files], { stdio: "inherit" });
child.on("exit", (code) => process.exit(code ?? 1));
