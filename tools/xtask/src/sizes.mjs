// Prints `name<TAB>raw<TAB>gzip<TAB>brotli` for each file below the folder named last.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const dir = process.argv.at(-1);
const names = readdirSync(dir, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();
for (const name of names) {
  const bytes = readFileSync(name);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  const brotli = brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  }).length;
  const shown = name.slice(dir.length + 1).replaceAll("\\", "/");
  console.log([shown, bytes.length, gzip, brotli].join("\t"));
}
