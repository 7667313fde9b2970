// What the page points at: the span behind an event, and the note that the run is of older text.
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, showPanel } from "@codemirror/view";

const setWhy = StateEffect.define({
  map: (span, changes) =>
    span && { from: changes.mapPos(span.from, 1), to: changes.mapPos(span.to, -1) },
});

const LINES_MAX = 200;

function decorate(doc, { from, to }) {
  const marks = [];
  const last = doc.lineAt(to).number;
  const first = doc.lineAt(from).number;
  for (let n = first; n <= Math.min(last, first + LINES_MAX); n += 1) {
    marks.push(Decoration.line({ class: "cm-why-line" }).range(doc.line(n).from));
  }
  if (to > from) marks.push(Decoration.mark({ class: "cm-why" }).range(from, to));
  return Decoration.set(marks, true);
}

const whyField = StateField.define({
  create: () => Decoration.none,
  update(marks, tr) {
    let now = marks.map(tr.changes);
    for (const effect of tr.effects) {
      if (effect.is(setWhy)) now = effect.value ? decorate(tr.state.doc, effect.value) : Decoration.none;
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export function highlight(view, from, to) {
  if (from === null || from === undefined) {
    view.dispatch({ effects: setWhy.of(null) });
    return;
  }
  const end = view.state.doc.length;
  const a = Math.max(0, Math.min(end, from));
  const b = Math.max(a, Math.min(end, to ?? from));
  const effects = [setWhy.of({ from: a, to: b })];
  if (!isSeen(view, a)) effects.push(EditorView.scrollIntoView(a, { y: "center" }));
  view.dispatch({ effects });
}

// The text does not jump about under a cursor that is drawn along the timeline.
function isSeen(view, at) {
  const { top, bottom } = view.lineBlockAt(at);
  const from = view.scrollDOM.scrollTop - view.documentPadding.top;
  return top >= from && bottom <= from + view.scrollDOM.clientHeight;
}

const setStale = StateEffect.define();

const staleField = StateField.define({
  create: () => null,
  update(text, tr) {
    for (const effect of tr.effects) if (effect.is(setStale)) return effect.value;
    return text;
  },
  provide: (field) =>
    showPanel.from(field, (text) => {
      if (!text) return null;
      return () => {
        const dom = document.createElement("div");
        dom.className = "cm-stale";
        dom.textContent = text;
        return { dom, top: true };
      };
    }),
});

export function setStaleMark(view, text) {
  const value = text || null;
  if (view.state.field(staleField) !== value) view.dispatch({ effects: setStale.of(value) });
}

export const marks = [whyField, staleField];
