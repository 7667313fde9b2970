// Completion and hover: the page is asked, the editor shows the answer if it is still wanted.
import { autocompletion } from "@codemirror/autocomplete";
import { hoverTooltip } from "@codemirror/view";

const WORD = /[\w./-]*$/;

function completionSource(complete) {
  return async (context) => {
    const word = context.matchBefore(WORD);
    const line = context.state.doc.lineAt(context.pos);
    const before = line.text.slice(0, context.pos - line.from);
    // By itself it opens on a word, after `key: ` and after `- `; nowhere in a comment.
    const wanted = context.explicit || word.from < context.pos || /(:|-) $/.test(before);
    if (!wanted || /(^|\s)#/.test(before)) return null;
    const answer = await complete(context.state.doc.toString(), context.pos);
    if (!answer || context.aborted || answer.options.length === 0) return null;
    return {
      from: answer.from ?? word.from,
      to: answer.to,
      options: answer.options.map((option, index) => ({
        label: option.label,
        apply: option.insert ?? option.label,
        detail: option.detail,
        info: option.doc || undefined,
        type: option.kind ?? "property",
        // The page's order is the order.
        boost: 99 - Math.min(198, index),
      })),
      validFor: /^[\w./-]*$/,
    };
  };
}

function box({ title, text, link }) {
  const dom = document.createElement("div");
  dom.className = "cm-help";
  if (title) {
    const head = document.createElement("div");
    head.className = "cm-help-title";
    head.textContent = title;
    dom.append(head);
  }
  const body = document.createElement("div");
  body.className = "cm-help-text";
  body.textContent = text ?? "";
  dom.append(body);
  if (link && /^https:\/\//.test(link)) {
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.target = "_blank";
    anchor.rel = "noreferrer";
    anchor.textContent = "Kubernetes documentation";
    dom.append(anchor);
  }
  return dom;
}

function hoverSource(hover) {
  return hoverTooltip(async (view, pos) => {
    const doc = view.state.doc;
    const answer = await hover(doc.toString(), pos);
    if (!answer || view.state.doc !== doc) return null;
    const { from = pos, to = pos } = answer;
    return { pos: from, end: to, above: true, create: () => ({ dom: box(answer) }) };
  });
}

export function help({ complete, hover }) {
  const parts = [];
  if (complete) {
    parts.push(autocompletion({ override: [completionSource(complete)], icons: false }));
  }
  if (hover) parts.push(hoverSource(hover));
  return parts;
}
