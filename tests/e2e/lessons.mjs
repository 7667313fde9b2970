// The lesson folders as the tests need them.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../lessons");

const folders = (dir) =>
  readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);

export const LESSONS = folders(root).flatMap((track) =>
  folders(join(root, track)).map((slug) => {
    const read = (name) => readFileSync(join(root, track, slug, name), "utf8");
    const title = /^title: (.*)$/m.exec(read("lesson.md"))[1].replace(/^"(.*)"$/, "$1");
    // Some solutions are edits of the start: those the page shows.
    const solution = existsSync(join(root, track, slug, "solution.yaml")) ? read("solution.yaml") : null;
    return { id: `${track}/${slug}`, track, title, start: read("start.yaml"), solution };
  }),
);

// One of each track; `podlab lessons check` runs every manifest of every lesson.
export const FIRST = LESSONS.filter(
  ({ track }, i) => LESSONS.findIndex((other) => other.track === track) === i,
);

export const SHIPPER = LESSONS.find((lesson) => lesson.id === "sidecar/log-shipping");
