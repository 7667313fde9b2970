// Files nobody should open in a lab, and what the page has to say to each.
import { SHIPPER } from "./lessons.mjs";

const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"]
  .concat([..."bcdefghij"].map((c, i) => `${c}: &${c} [${Array(9).fill(`*${"abcdefghi"[i]}`)}]`))
  .join("\n");

const noise = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 2654435761) >>> 13 & 255));
const half = SHIPPER.start.slice(0, SHIPPER.start.length / 2);
const large = `${"# a line of a large file, long enough to be one\n".repeat(110_000)}${SHIPPER.start}`;

const named = (name) => `apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec: {containers: [{name: a, image: nginx}]}
`;

// [name, bytes, the problems' heading, what of the verdict is shown]
export const INPUTS = [
  ["an empty file", "", /^No problems/, /The manifest asks for no pod/],
  ["half a document", half, "Problems (1)", /unterminated quoted string/],
  ["5 MB of YAML", large, "Problems (1)", /5\.0 MiB of text: the lab reads 1 MiB at most/],
  ["bytes that are no text", noise, /^No problems/, /bad.yaml holds bytes that are no text/],
  ["an alias bomb", laughs, "Problems (1)", /document contains excessive aliasing/],
  ["brackets ten thousand deep", "[".repeat(10_000), "Problems (2)", /nested more than 200 levels deep/],
  ["brackets a hundred thousand deep", "[".repeat(100_000), "Problems (2)", /nested more than 200 levels deep/],
  ["10 MB in one line", `a: ${"x".repeat(10_000_000)}`, /^No problems/, /bad.yaml has 10 MiB; a manifest has 8 at most/],
  ["1 MB in one line", `a: ${"x".repeat(1_000_000)}`, "Problems (2)", /apiVersion not set/],
  ["null bytes", named("a\0b"), "Problems (1)", /control characters are not allowed/],
  ["half of a surrogate pair", 'kind: "\\ud800"\n', "Problems (1)", /invalid Unicode character escape code/],
  ["marks of right-to-left text", named("\u202etxt\u202c"), "Problems (1)", /must consist of lower case alphanumeric/],
];
