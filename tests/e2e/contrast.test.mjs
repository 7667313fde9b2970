// Every pair of colours that the page puts together, read from its style sheet: 4.5 to 1 for text,
// 3 to 1 for shapes, in light and dark. What stands in the page is axe's, see looks.test.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const css = readFileSync(new URL("../../public/app.css", import.meta.url), "utf8");
const TOKENS = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, ...both]) => [name, both]),
);

const HUES = Array.from({ length: 8 }, (_, i) => `hue-${i}`);
const STATES = ["ready", "completed", "failed", "backoff", "terminating"];
const GROUNDS = ["paper", "raised", "sunk"];
const TINTED = ["warn-paper", "bad-paper", "good-paper"];
// [front, behind, least ratio]
const PAIRS = [
  ...["ink", "muted", "accent", ...STATES].flatMap((front) =>
    [...GROUNDS, ...TINTED].map((behind) => [front, behind, 4.5]),
  ),
  ...HUES.map((hue) => [hue, "raised", 4.5]),
  ...["edge", "waiting", ...HUES].flatMap((front) => GROUNDS.map((behind) => [front, behind, 3])),
  ["on-accent", "accent", 4.5],
  ["raised", "ready", 4.5],
  ["paper", "ink", 4.5],
];

// As WCAG 2 defines them.
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function ratio(a, b) {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

test("ratios are those of WCAG", () => {
  assert.equal(ratio("#000000", "#ffffff"), 21);
  assert.equal(ratio("#777777", "#ffffff").toFixed(2), "4.48");
});

test("every pair of tokens can be told apart, light and dark", () => {
  const weak = PAIRS.flatMap(([front, behind, least]) =>
    ["light", "dark"].flatMap((theme, i) => {
      const found = ratio(TOKENS.get(front)[i], TOKENS.get(behind)[i]);
      return found < least ? [`${front} on ${behind}, ${theme}: ${found.toFixed(2)} of ${least}`] : [];
    }),
  );
  assert.deepEqual(weak, []);
});
