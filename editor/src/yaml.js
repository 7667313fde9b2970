// YAML as far as looks, folds and new lines need it: line by line with what an earlier line leaves
// open, so that a key costs the lines in sight and no text is too odd. What it means is not for here.
import { foldService, indentService } from "@codemirror/language";
import { EditorState, RangeSetBuilder } from "@codemirror/state";
import { Decoration, ViewPlugin } from "@codemirror/view";

// Text past this is not a manifest: it keeps one colour.
const COLOURED_MAX = 1 << 20;
const LINE_CHARS_MAX = 2000;
const FOLDED_LINES_MAX = 5000;

const PLAIN = /(?:[^\s:]|:(?=\S)|[ \t]+(?=[^\s#]))+/y;
const PLAIN_IN_FLOW = /(?:[^\s:,[\]{}]|:(?=[^\s,[\]{}])|[ \t]+(?=[^\s#,[\]{}]))+/y;
const QUOTED = { '"': /(?:[^"\\]|\\.?)*("?)/y, "'": /(?:[^']|'')*('?)/y };
const NAMED = /[^\s,[\]{}]*/y;
const HEADER = /[|>][-+\d]*\s*(?:#.*)?$/y;
const KEY = /\s*:(?:[\s,[\]{}]|$)/y;
const KEY_OF_JSON = /\s*:/y;

const match = (pattern, text, at) => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
};

// What a line begins in: a quote, or a block scalar below a column (-1: none), so deep in brackets.
const START = { quote: "", block: -1, depth: 0 };

// Reads a line, tells `mark(from, to, class)` of its parts and answers what the next begins in.
export function scanLine(text, begin, mark) {
  let { quote, block, depth } = begin;
  let at = 0;
  if (!quote && /^(?:---|\.\.\.)(?:\s|$)/.test(text)) {
    mark(0, 3, "mark");
    [at, block, depth] = [3, -1, 0];
  } else if (block >= 0) {
    const lead = text.search(/\S/);
    if (lead < 0 || lead >= block) return begin;
    block = -1;
  }
  let column = 0;
  while (at < text.length) {
    const ch = text[at];
    const from = at;
    if (quote || ch === '"' || ch === "'") {
      const open = quote || ch;
      const pattern = QUOTED[open];
      pattern.lastIndex = quote ? at : at + 1;
      quote = pattern.exec(text)[1] ? "" : open;
      at = pattern.lastIndex;
      const key = !quote && match(depth > 0 ? KEY_OF_JSON : KEY, text, at) >= 0;
      if (key) column = from + 1;
      mark(from, at, key ? "key" : "string");
    } else if (ch === " " || ch === "\t") {
      at += 1;
    } else if (ch === "#" && (at === 0 || /\s/.test(text[at - 1]))) {
      mark(at, text.length, "comment");
      break;
    } else if ("[{".includes(ch) || (depth > 0 && "]},".includes(ch))) {
      depth = Math.max(0, depth + ("[{".includes(ch) ? 1 : ch === "," ? 0 : -1));
      mark(at, (at += 1), "sign");
    } else if ("-?:".includes(ch) && /[\s,[\]{}]|^$/.test(text[at + 1] ?? "")) {
      if (ch === "-") column = at + 1;
      mark(at, (at += 1), "sign");
    } else if ("&*!".includes(ch)) {
      at = match(NAMED, text, at + 1);
      mark(from, at, "mark");
    } else if (depth === 0 && "|>".includes(ch) && match(HEADER, text, at) >= 0) {
      mark(at, (at += 1), "string");
      block = column;
    } else {
      at = Math.max(at + 1, match(depth > 0 ? PLAIN_IN_FLOW : PLAIN, text, at));
      if (match(KEY, text, at) < 0) continue;
      column = from + 1;
      mark(from, at, "key");
    }
  }
  return { quote, block, depth };
}

const LOOKS = Object.fromEntries(
  ["key", "string", "comment", "mark", "sign"].map((name) => [
    name,
    Decoration.mark({ class: `cm-y-${name}` }),
  ]),
);
const unmarked = () => {};
const cut = (text) => (text.length > LINE_CHARS_MAX ? text.slice(0, LINE_CHARS_MAX) : text);

const colours = ViewPlugin.fromClass(
  class {
    // What the lines begin in, as far as was looked.
    begins = [START];

    constructor(view) {
      this.decorations = this.draw(view);
    }

    update(update) {
      if (update.docChanged) {
        let first = update.state.doc.length;
        update.changes.iterChangedRanges((_a, _b, from) => (first = Math.min(first, from)));
        const line = update.state.doc.lineAt(first).number;
        this.begins.length = Math.min(this.begins.length, line);
      }
      if (update.docChanged || update.viewportChanged) this.decorations = this.draw(update.view);
    }

    draw(view) {
      const { doc } = view.state;
      if (doc.length > COLOURED_MAX) return Decoration.none;
      const { begins } = this;
      const builder = new RangeSetBuilder();
      // Of a long line several stretches may be in sight.
      let next = 1;
      for (const { from, to } of view.visibleRanges) {
        const first = Math.max(next, doc.lineAt(from).number);
        if (begins.length < first) {
          const lines = doc.iterLines(begins.length, first);
          for (const text of lines) begins.push(scanLine(cut(text), begins.at(-1), unmarked));
        }
        for (next = first; next <= doc.lines; next += 1) {
          const line = doc.line(next);
          if (line.from > to) break;
          // What touches and looks the same is one mark.
          let [start, end, look] = [0, 0, ""];
          const add = () => end > start && builder.add(line.from + start, line.from + end, LOOKS[look]);
          begins[next] = scanLine(cut(line.text), begins[next - 1], (a, b, name) => {
            if (a !== end || name !== look) {
              add();
              [start, look] = [a, name];
            }
            end = b;
          });
          add();
        }
      }
      return builder.finish();
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

const indentOf = (text) => text.search(/\S/);

// What is deeper than a line, and the items of a list right below its key.
const folds = foldService.of((state, start) => {
  const { doc } = state;
  const head = doc.lineAt(start);
  const base = indentOf(cut(head.text));
  if (base < 0 || head.text[base] === "#" || head.number === doc.lines) return null;
  const list = head.text[base] !== "-" && /:\s*(?:#.*)?$/.test(cut(head.text));
  let last = head.number;
  let n = head.number;
  for (const text of doc.iterLines(n + 1, Math.min(doc.lines, n + FOLDED_LINES_MAX) + 1)) {
    n += 1;
    const indent = indentOf(cut(text));
    if (indent < 0) continue;
    const item = list && indent === base && /^-(\s|$)/.test(text.slice(indent, indent + 2));
    if (indent <= base && !item) break;
    last = n;
  }
  return last > head.number ? { from: head.to, to: doc.line(last).to } : null;
});

// A new line goes on in the map or list of the one before; deeper after a key or a header alone.
const indents = indentService.of((context, pos) => {
  if (context.simulatedBreak === null) return null;
  const text = cut(context.lineAt(pos, -1).text);
  const [all, lead, dashes, rest] = /^( *)((?:- +)*)(.*)$/.exec(text) ?? [];
  if (all === undefined) return null;
  const inner = lead.length + dashes.length;
  if (/(?::|[|>][-+\d]*|[[{]|^-)\s*(?:\s#.*)?$/.test(rest)) return inner + context.unit;
  return /^[^\s#][^#]*:\s/.test(rest) ? inner : lead.length;
});

export const yaml = [
  colours,
  folds,
  indents,
  EditorState.languageData.of(() => [{ commentTokens: { line: "#" } }]),
];
