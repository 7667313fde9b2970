// The lesson folders as the tests need them.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../lessons");

const folders = (dir) =>
  readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

// A solution is a file, or edits of the start in the front matter: `find` and `put` as JSON strings.
function solutionOf(dir, lesson, start) {
  const file = join(dir, "solution.yaml");
  if (existsSync(file)) return readFileSync(file, "utf8");
  const edits = /^solution:\n((?: .*\n)+)/m.exec(lesson)[1];
  const edit = /find: ("(?:[^"\\]|\\.)*"),?\s+put: ("(?:[^"\\]|\\.)*")/g;
  return [...edits.matchAll(edit)].reduce(
    (text, [, find, put]) => text.replace(JSON.parse(find), () => JSON.parse(put)),
    start,
  );
}

export const LESSONS = folders(root).flatMap((track) =>
  folders(join(root, track)).map((slug) => {
    const dir = join(root, track, slug);
    const read = (name) => readFileSync(join(dir, name), "utf8");
    const lesson = read("lesson.md");
    const title = /^title: (.*)$/m.exec(lesson)[1].replace(/^"(.*)"$/, "$1");
    const start = read("start.yaml");
    const id = `${track}/${slug}`;
    return { id, track, title, start, solution: solutionOf(dir, lesson, start) };
  }),
);

// One of each track; `podlab lessons check` runs every manifest of every lesson.
export const FIRST = LESSONS.filter(
  ({ track }, i) => LESSONS.findIndex((other) => other.track === track) === i,
);

export const SHIPPER = LESSONS.find((lesson) => lesson.id === "sidecar/log-shipping");
