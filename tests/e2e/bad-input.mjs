// Files nobody should open in a lab, and what the page has to say to each.
import { SHIPPER } from "./lessons.mjs";

const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"]
  .concat([..."bcdefghij"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefghi"[i]}`)}]`))
  .join("\n");

const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 2654435761) >>> 13 & 255));
const half = SHIPPER.start.slice(0, SHIPPER.start.length / 2);
const large = `${"# a line of a large file, long enough to be one\n".repeat(110_000)}${SHIPPER.start}`;

// [name, bytes, what the page then shows]
export const INPUTS = [
  ["an empty file", "", /Checking|No problems|Problems|nothing/i],
  ["half a document", half, /Problems \(|No problems/],
  ["5 MB of YAML", large, /Problems \(|No problems/],
  ["bytes that are no text", noise, /Problems \(|could not be read|not text/],
  ["an alias bomb", laughs, /Problems \(/],
  ["brackets ten thousand deep", "[".repeat(10_000), /Problems \(/],
];
