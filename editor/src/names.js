// Names: F12 goes to where the one at the cursor is given, Shift-F12 on through its places, F2 calls it
// something else everywhere. The page knows the places.
import { isolateHistory } from "@codemirror/commands";
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, keymap, showTooltip } from "@codemirror/view";

const setShown = StateEffect.define();
const place = Decoration.mark({ class: "cm-place" });

// A box at a name and marks on its places; a hint goes with the next move, a form with the next change.
const shown = StateField.define({
  create: () => null,
  update(box, tr) {
    for (const effect of tr.effects) if (effect.is(setShown)) return effect.value;
    return box && (tr.docChanged || (tr.selection && !box.stays)) ? null : box;
  },
  provide: (field) => [
    showTooltip.from(field, (box) => box && { pos: box.pos, above: true, create: box.create }),
    EditorView.decorations.from(field, (box) => box?.marks ?? Decoration.none),
  ],
});

const placesOf = (found) => [...(found?.definitions ?? []), ...(found?.uses ?? [])];

function marksOf(found) {
  const marks = placesOf(found).filter(({ from, to }) => from < to);
  return Decoration.set(marks.map(({ from, to }) => place.range(from, to)), true);
}

export function element(name, className, text = "") {
  const dom = document.createElement(name);
  dom.className = className;
  dom.textContent = text;
  return dom;
}

function hint(view, pos, found, text) {
  const dom = element("div", "cm-help", text);
  dom.setAttribute("role", "status");
  const box = { pos, marks: marksOf(found), create: () => ({ dom }) };
  view.dispatch({ effects: setShown.of(box) });
}

// Calls `then` with the name at the cursor, if the text is still the same.
function named(links, then) {
  return (view) => {
    const { doc, selection } = view.state;
    const pos = selection.main.head;
    links(doc.toString(), pos).then((found) => {
      if (view.state.doc !== doc) return;
      if (found) then(view, pos, found);
      else hint(view, pos, null, "No name stands here.");
    });
    return true;
  };
}

const inside = (pos) => ({ from, to }) => from <= pos && pos <= to;

function go(view, pos, found, isOn) {
  const places = placesOf(found);
  const n = found.definitions.length;
  const at = places.findIndex(inside(pos));
  const next = isOn || at < n ? (at + 1) % places.length : n > 0 ? 0 : (at + 1) % places.length;
  const { from } = places[next];
  view.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: "center" }) });
  view.focus();
  const rest = n === 0 ? "given nowhere in this text" : next < n ? "given here" : "used here";
  hint(view, from, found, `${found.what} ${found.name}: ${rest}, place ${next + 1} of ${places.length}`);
}

const counted = (n) => (n === 1 ? "1 place changes" : `${n} places change`);

function renameBox(view, pos, found, rename) {
  const { doc } = view.state;
  const dom = element("form", "cm-rename");
  const label = element("label", "", `Rename ${found.what}`);
  const field = element("input", "cm-textfield");
  const button = element("button", "cm-button", "Rename");
  const told = element("output", "cm-rename-told", counted(placesOf(found).length));
  field.value = found.name;
  field.spellcheck = false;
  field.autocapitalize = "off";
  label.append(field);
  dom.append(label, button, told);
  const box = { pos, stays: true, marks: marksOf(found), create: () => ({ dom, mount: () => field.select() }) };
  const close = () => {
    if (view.state.field(shown) === box) view.dispatch({ effects: setShown.of(null) });
  };
  let newest = 0;
  const look = async () => {
    const ask = (newest += 1);
    const { edits, problem } = await rename(doc.toString(), pos, field.value);
    if (ask !== newest) return null;
    told.textContent = problem || counted(edits.length);
    button.disabled = Boolean(problem);
    return problem ? null : edits;
  };
  field.addEventListener("input", look);
  dom.addEventListener("submit", async (event) => {
    event.preventDefault();
    const changes = field.value === found.name ? [] : await look();
    if (!changes || view.state.doc !== doc) return;
    const annotations = isolateHistory.of("full");
    view.dispatch({ changes, annotations, userEvent: "rename", effects: setShown.of(null) });
    view.focus();
  });
  dom.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    event.preventDefault();
    close();
    view.focus();
  });
  dom.addEventListener("focusout", (event) => {
    // It also goes when the box is taken away, in the middle of an update.
    if (!dom.contains(event.relatedTarget)) setTimeout(close);
  });
  return box;
}

// What can be done with a name: commands, null where the page knows no names.
export function commandsOf({ links, rename }) {
  if (!links) return null;
  return {
    go: named(links, (view, pos, found) => go(view, pos, found, false)),
    on: named(links, (view, pos, found) => go(view, pos, found, true)),
    rename: named(links, (view, pos, found) => {
      view.dispatch({ effects: setShown.of(renameBox(view, pos, found, rename)) });
    }),
  };
}

export function names(options) {
  const does = commandsOf(options);
  if (!does) return [];
  return [
    shown,
    keymap.of([
      { key: "F12", run: does.go, shift: does.on, preventDefault: true },
      { key: "F2", run: does.rename, preventDefault: true },
    ]),
  ];
}
