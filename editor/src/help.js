// Completion and hover: the page is asked, the editor shows the answer if it is still wanted.
import { autocompletion } from "@codemirror/autocomplete";
import { closeHoverTooltips, hoverTooltip } from "@codemirror/view";
import { commandsOf, element } from "./names.js";

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

function box(view, answer, pos, found, does) {
  const dom = element("div", "cm-help");
  const title = element("div", "cm-help-title", answer.title ?? "");
  if (answer.kind) title.append(element("span", "cm-help-kind", answer.kind));
  dom.append(title);
  for (const part of ["text", "more"]) {
    if (answer[part]) dom.append(element("div", `cm-help-${part}`, answer[part]));
  }
  if (found) {
    const row = element("div", "cm-help-acts");
    const act = (label, key, command) => {
      const button = element("button", "cm-button", `${label} `);
      button.append(element("kbd", "", key));
      button.type = "button";
      button.onclick = () => {
        view.dispatch({ selection: { anchor: pos }, effects: closeHoverTooltips });
        command(view);
      };
      row.append(button);
    };
    const n = found.definitions.length;
    if (n + found.uses.length > 1) act(n > 0 ? "Go to definition" : "Next use", "F12", does.go);
    act("Rename", "F2", does.rename);
    dom.append(row);
  }
  return dom;
}

function hoverSource(options) {
  const does = commandsOf(options);
  return hoverTooltip(async (view, pos) => {
    const { doc } = view.state;
    const text = doc.toString();
    const [told, found] = await Promise.all([options.hover(text, pos), options.links?.(text, pos)]);
    if ((!told && !found) || view.state.doc !== doc) return null;
    const answer = told ?? { title: `${found.what} ${found.name}` };
    const { from = pos, to = pos } = answer;
    return {
      pos: from,
      end: to,
      above: true,
      create: () => ({ dom: box(view, answer, pos, found, does) }),
    };
  });
}

export function help(options) {
  const parts = [];
  if (options.complete) {
    parts.push(autocompletion({ override: [completionSource(options.complete)], icons: false }));
  }
  if (options.hover) parts.push(hoverSource(options));
  return parts;
}
