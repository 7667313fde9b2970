// The manifest editor: CodeMirror 6 with what Podlab needs and nothing it decides by itself.
// All offsets are UTF-16 code units, as CodeMirror and the browser count. See ../README.md.
import { completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyField, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, foldState, indentUnit } from "@codemirror/language";
import { search, searchKeymap } from "@codemirror/search";
import { Annotation, EditorState } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  dropCursor,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { help } from "./help.js";
import { highlight, marks, setStaleMark } from "./marks.js";
import { names } from "./names.js";
import { problems, showProblems } from "./problems.js";
import { theme } from "./theme.js";
import { yaml } from "./yaml.js";

const SAVED = { history: historyField, folds: foldState };
// Saved work has to fit where a browser keeps small things.
const SAVED_CHARS_MAX = 400_000;
// No manifest is longer; a browser that has to show it is not at its best.
const CHARS_MAX = 8 << 20;
const KEYS_HELP = "Tab indents. Escape and then Tab leaves the editor. F8 goes to the next problem.";

// Marks changes the page made itself and need not be told of.
const fromPage = Annotation.define();

// The page is told before the editor draws, so that the verdict is made meanwhile.
function telling({ onChange }) {
  return (transactions, view) => {
    const told = transactions.some((tr) => tr.docChanged && !tr.annotation(fromPage));
    if (told) onChange?.(transactions.at(-1).newDoc.toString());
    view.update(transactions);
  };
}

function saysTooLong({ onRefused }) {
  return EditorState.changeFilter.of((tr) => {
    if (!tr.docChanged || tr.newDoc.length <= CHARS_MAX || tr.annotation(fromPage)) return true;
    onRefused?.(tr.newDoc.length);
    return false;
  });
}

// Typing over a selection is done here: left to the browser, it keeps the look of what it replaces
// by a style attribute, which a strict policy refuses with an error in the console.
const typeOverSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const plain = event.inputType === "insertText" && event.data && !view.composing;
    if (!plain || view.state.readOnly || view.state.selection.ranges.every((r) => r.empty)) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), {
      userEvent: "input.type",
      scrollIntoView: true,
    });
    return true;
  },
});

// Escape lets the next Tab out, also when it has just called off completions not yet shown.
const escapeFreesTab = EditorView.domEventObservers({
  keydown(event, view) {
    const shown = view.dom.querySelector(".cm-tooltip-autocomplete");
    if (event.key === "Escape" && !shown) view.setTabFocusMode(2000);
  },
});

function extensions(options) {
  return [
    lineNumbers(),
    highlightActiveLineGutter(),
    foldGutter(),
    problems,
    highlightSpecialChars(),
    history(),
    drawSelection(),
    dropCursor(),
    EditorState.allowMultipleSelections.of(true),
    EditorState.tabSize.of(2),
    indentUnit.of("  "),
    bracketMatching(),
    highlightActiveLine(),
    search({ top: true }),
    yaml,
    help(options),
    names(options),
    marks,
    theme,
    typeOverSelection,
    escapeFreesTab,
    keymap.of([
      ...completionKeymap,
      ...searchKeymap,
      ...historyKeymap,
      ...foldKeymap,
      indentWithTab,
      ...defaultKeymap,
    ]),
    EditorState.readOnly.of(Boolean(options.readOnly)),
    EditorView.contentAttributes.of({
      "aria-label": options.label ?? "Manifest",
      "aria-description": KEYS_HELP,
      // Editable text is in the tab order anyway; said outright for tools that ask.
      tabindex: "0",
      spellcheck: "false",
      autocapitalize: "off",
      ...(options.readOnly ? { "aria-readonly": "true" } : {}),
    }),
    saysTooLong(options),
  ];
}

function saved(view) {
  if (view.state.doc.length > SAVED_CHARS_MAX) return null;
  const whole = JSON.stringify(view.state.toJSON(SAVED));
  if (whole.length <= SAVED_CHARS_MAX) return whole;
  // Undo is what can be done without.
  return JSON.stringify(view.state.toJSON({ folds: foldState }));
}

// True when the text, cursor, folds and undo of `saveState` are back.
function restored(view, text, config) {
  try {
    const json = JSON.parse(text);
    view.setState(EditorState.fromJSON(json, config, SAVED));
    return true;
  } catch {
    return false;
  }
}

export function createEditor(parent, options = {}) {
  const config = { extensions: extensions(options) };
  const onFix = (index, fix) => options.onFix?.(index, fix);
  const state = EditorState.create({ doc: options.text ?? "", ...config });
  const view = new EditorView({ state, parent, dispatchTransactions: telling(options) });
  const inside = (at) => Math.max(0, Math.min(view.state.doc.length, at));
  return {
    text: () => view.state.doc.toString(),
    setText(text) {
      if (text === view.state.doc.toString()) return;
      const changes = { from: 0, to: view.state.doc.length, insert: text };
      view.dispatch({ changes, annotations: fromPage.of(true), selection: { anchor: 0 } });
    },
    setDiagnostics: (found) => showProblems(view, found, onFix),
    applyEdits(edits) {
      view.dispatch({ changes: edits, userEvent: "input.fix", scrollIntoView: true });
    },
    jumpTo(pos) {
      const at = inside(pos);
      const effects = EditorView.scrollIntoView(at, { y: "center" });
      view.dispatch({ selection: { anchor: at }, effects });
      view.focus();
    },
    highlight: (from, to) => highlight(view, from, to),
    setStaleMark: (text) => setStaleMark(view, text),
    saveState: () => saved(view),
    restoreState: (text) => restored(view, text, config),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
