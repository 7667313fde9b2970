// Bundles the editor into ../public/editor.js. `--check` compares instead of writing, so that
// the committed bundle is what this folder's lock file and sources give.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));

// CodeMirror styles a document by a <style> element, which a policy of `style-src 'self'`
// forbids, and a shadow root by a constructed sheet, which it allows. Take the second way always.
const constructedStyles = {
  name: "constructed-styles",
  setup(builder) {
    builder.onLoad({ filter: /style-mod\.js$/ }, async ({ path }) => {
      const before = "!root.head && root.adoptedStyleSheets";
      const text = await readFile(path, "utf8");
      if (!text.includes(before)) throw new Error(`style-mod no longer says ${before}`);
      return { contents: text.replace(before, "root.adoptedStyleSheets") };
    });
  },
};

// The licences of what is bundled, as their authors ask for.
async function notices(metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const name = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (name) names.add(name);
  }
  const byText = new Map();
  for (const name of [...names].sort()) {
    const dir = join(here, "node_modules", name);
    const { version } = JSON.parse(await readFile(join(dir, "package.json"), "utf8"));
    const file = (await readdir(dir)).find((entry) => /^licen[cs]e/i.test(entry));
    if (!file) throw new Error(`${name} has no licence file`);
    const text = (await readFile(join(dir, file), "utf8")).trim();
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version}`]);
  }
  return [...byText].map(([text, of]) => `${of.join("\n")}\n\n${text}\n`).join("\n---\n\n");
}

const result = await build({
  absWorkingDir: here,
  entryPoints: ["src/editor.js"],
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "inline",
  charset: "utf8",
  banner: { js: "/*! CodeMirror 6, Lezer and others, MIT licence: editor-licenses.txt */" },
  plugins: [constructedStyles],
  metafile: true,
  write: false,
});
const made = {
  "editor.js": Buffer.from(result.outputFiles[0].contents),
  "editor-licenses.txt": Buffer.from(await notices(result.metafile)),
};

for (const [name, bytes] of Object.entries(made)) {
  const path = join(here, "../public", name);
  if (!process.argv.includes("--check")) {
    await writeFile(path, bytes);
    console.log(`public/${name}: ${bytes.length} bytes`);
  } else if (!bytes.equals(await readFile(path).catch(() => Buffer.alloc(0)))) {
    console.error(`public/${name} is not what editor/ builds: run \`npm run build\` in editor/`);
    process.exitCode = 1;
  }
}
