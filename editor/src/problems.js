// Problems as the page found them: squiggles, gutter marks, a one-line message at the line's
// end, their fixes. The editor finds none by itself.
import { diagnosticCount, forEachDiagnostic, lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { Prec, RangeSetBuilder } from "@codemirror/state";
import { Decoration, EditorView, ViewPlugin, WidgetType, keymap } from "@codemirror/view";

const RANK = { error: 0, warning: 1, info: 2 };
const MESSAGE_CHARS_MAX = 160;

class Message extends WidgetType {
  constructor(severity, text) {
    super();
    this.severity = severity;
    this.text = text;
  }
  eq(other) {
    return other.severity === this.severity && other.text === this.text;
  }
  toDOM() {
    const span = document.createElement("span");
    span.className = `cm-message cm-message-${this.severity}`;
    // Screen readers get the problems from the problems list and F8, not inside the text.
    span.setAttribute("aria-hidden", "true");
    span.textContent = this.text;
    return span;
  }
  ignoreEvent() {
    return true;
  }
}

// The gravest problem of each visible line.
function messages(view) {
  const worst = new Map();
  forEachDiagnostic(view.state, (problem, from) => {
    const at = view.state.doc.lineAt(from).to;
    const best = worst.get(at);
    if (!best || RANK[problem.severity] < RANK[best.severity]) worst.set(at, problem);
  });
  const builder = new RangeSetBuilder();
  for (const at of [...worst.keys()].sort((a, b) => a - b)) {
    if (!view.visibleRanges.some(({ from, to }) => from <= at && at <= to)) continue;
    const { severity, message } = worst.get(at);
    const text = message.split("\n")[0].slice(0, MESSAGE_CHARS_MAX);
    const widget = new Message(severity, text);
    builder.add(at, at, Decoration.widget({ widget, side: 1 }));
  }
  return builder.finish();
}

const lineMessages = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = messages(view);
    }
    update(update) {
      const touched = update.docChanged || update.viewportChanged;
      if (touched || update.transactions.some((tr) => tr.effects.length > 0)) {
        this.decorations = messages(update.view);
      }
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function part(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

function rendered({ message, help, code }) {
  const box = document.createElement("span");
  box.append(part("cm-problem-message", message));
  if (help) box.append(part("cm-problem-help", help));
  if (code) box.append(part("cm-problem-code", code));
  return box;
}

// The page's problems in CodeMirror's form; offsets are held inside the document.
export function showProblems(view, problems, onFix) {
  if (problems.length === 0 && diagnosticCount(view.state) === 0) return;
  const end = view.state.doc.length;
  const inside = (at) => Math.max(0, Math.min(end, at));
  const shown = problems.map((problem, index) => ({
    from: inside(problem.from),
    to: inside(Math.max(problem.from, problem.to)),
    severity: problem.severity in RANK ? problem.severity : "info",
    message: problem.message,
    renderMessage: () => rendered(problem),
    actions: (problem.fixes ?? []).map((fix, fixIndex) => ({
      name: fix.title,
      apply: () => onFix(index, fixIndex),
    })),
  }));
  view.dispatch(setDiagnostics(view.state, shown));
}

// Applies the first fix of a problem on the cursor's line.
function quickFix(view) {
  const line = view.state.doc.lineAt(view.state.selection.main.head);
  let action;
  forEachDiagnostic(view.state, (problem, from, to) => {
    if (from <= line.to && to >= line.from) action ??= problem.actions?.[0];
  });
  action?.apply(view, line.from, line.to);
  return Boolean(action);
}

export const problems = [
  lintGutter(),
  lineMessages,
  Prec.high(keymap.of([{ key: "Mod-.", run: quickFix }])),
  // F8 for the next problem, Mod-Shift-m for all.
  keymap.of(lintKeymap),
  EditorView.editorAttributes.of({ class: "podlab-editor" }),
];
