// How the editor looks. Every colour is a custom property of the page with a value of its own
// behind it, so that the bundle is readable on any page, light and dark.
import { EditorView } from "@codemirror/view";

const colour = (name, light, dark) => `var(--editor-${name}, light-dark(${light}, ${dark}))`;

const paper = colour("paper", "#ffffff", "#1c2126");
const raised = colour("raised", "#ffffff", "#262c33");
const ink = colour("ink", "#1b1f23", "#e8eaed");
const muted = colour("muted", "#5a636b", "#a3adb6");
const line = colour("line", "#d8d5cc", "#343b42");
const accent = colour("accent", "#1f5fbf", "#7fb1ff");
const active = colour("active", "#f3f1ea", "#232930");
const selection = colour("selection", "#cfe0fa", "#2f4b74");
const why = colour("why", "#fff0b8", "#4a3f14");
const whyEdge = colour("why-edge", "#9a6700", "#e3b341");
const error = colour("error", "#b3261e", "#ff8a80");
const warning = colour("warning", "#855900", "#e3b341");
const info = colour("info", "#1f5fbf", "#7fb1ff");
const mono = "var(--editor-font, ui-monospace, 'SF Mono', Menlo, Consolas, monospace)";

const squiggle = (shape, tint) => ({
  backgroundImage: "none",
  paddingBottom: "0",
  textDecoration: `underline ${shape} ${tint}`,
  textDecorationSkipInk: "none",
  textUnderlineOffset: "3px",
});

const look = EditorView.theme({
  "&": { backgroundColor: paper, color: ink, height: "100%", fontSize: "var(--editor-size, 13px)" },
  // Over the gutters and panels, which would hide an outline.
  "&.cm-focused": { outline: "none" },
  "&.cm-focused::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    border: `2px solid ${accent}`,
    pointerEvents: "none",
    zIndex: "400",
  },
  ".cm-scroller": { fontFamily: mono, lineHeight: "1.55", overflow: "auto" },
  ".cm-content": { caretColor: ink },
  ".cm-cursor": { borderLeftColor: ink, borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: paper, color: muted, borderRight: `1px solid ${line}` },
  ".cm-activeLine": { backgroundColor: active },
  ".cm-activeLineGutter": { backgroundColor: active, color: ink },
  ".cm-selectionBackground": { backgroundColor: selection },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": {
    backgroundColor: selection,
  },
  ".cm-selectionMatch": { backgroundColor: selection },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: selection, outline: "none" },
  ".cm-foldPlaceholder": { background: active, border: `1px solid ${line}`, color: ink },
  ".cm-foldGutter span": { cursor: "pointer", padding: "0 2px" },
});

const boxes = EditorView.theme({
  ".cm-tooltip": {
    backgroundColor: raised,
    color: ink,
    border: `1px solid ${line}`,
    borderRadius: "6px",
    boxShadow: "0 4px 16px rgb(0 0 0 / 0.18)",
    maxWidth: "min(60ch, 90vw)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: mono, maxHeight: "14em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px", lineHeight: "1.4" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { background: selection, color: ink },
  ".cm-completionDetail": { color: muted, fontStyle: "normal", marginLeft: "1.5em" },
  ".cm-completionMatchedText": { textDecoration: "none", fontWeight: "700" },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 10px", whiteSpace: "pre-line" },
  ".cm-help": { padding: "8px 10px", font: "13px/1.5 system-ui, sans-serif" },
  ".cm-help-title": { fontFamily: mono, fontWeight: "600" },
  ".cm-help-kind": { marginLeft: "10px", fontWeight: "400", color: muted },
  ".cm-help-text, .cm-help-more": { whiteSpace: "pre-line", marginTop: "4px" },
  ".cm-help-more": { color: muted },
  ".cm-help-acts": { display: "flex", gap: "6px", marginTop: "6px" },
  ".cm-help kbd": { color: muted, fontFamily: "inherit" },
  ".cm-place": { backgroundColor: why, borderRadius: "2px" },
  ".cm-rename": {
    display: "flex",
    flexWrap: "wrap",
    alignItems: "center",
    gap: "6px 8px",
    padding: "8px 10px",
    font: "13px/1.5 system-ui, sans-serif",
  },
  ".cm-rename label": { display: "flex", alignItems: "center", gap: "8px" },
  ".cm-rename input": { fontFamily: mono, width: "20ch" },
  ".cm-rename-told": { color: muted, flexBasis: "100%" },
  ".cm-panels": { backgroundColor: active, color: ink },
  ".cm-panels.cm-panels-top": { borderBottom: `1px solid ${line}` },
  ".cm-panel.cm-search": { font: "13px/1.5 system-ui, sans-serif", padding: "6px 8px" },
  ".cm-textfield": {
    backgroundColor: paper,
    color: ink,
    border: `1px solid ${muted}`,
    fontSize: "13px",
  },
  ".cm-button": {
    backgroundImage: "none",
    backgroundColor: paper,
    color: ink,
    border: `1px solid ${muted}`,
    borderRadius: "4px",
    fontSize: "13px",
  },
  ".cm-panel.cm-search button[name=close]": { color: ink },
  ".cm-searchMatch": { backgroundColor: why },
  ".cm-searchMatch.cm-searchMatch-selected": { backgroundColor: selection },
  ".cm-stale": {
    padding: "4px 10px",
    font: "13px/1.5 system-ui, sans-serif",
    borderLeft: `4px solid ${whyEdge}`,
  },
});

const problems = EditorView.theme({
  ".cm-lintRange-error": squiggle("wavy", error),
  ".cm-lintRange-warning": squiggle("dashed", warning),
  ".cm-lintRange-info, .cm-lintRange-hint": squiggle("dotted", info),
  ".cm-lintRange-active": { backgroundColor: active },
  ".cm-diagnostic": {
    padding: "8px 10px",
    font: "13px/1.5 system-ui, sans-serif",
    whiteSpace: "pre-line",
    borderLeft: "none",
  },
  ".cm-diagnostic-error": { borderLeft: `4px solid ${error}` },
  ".cm-diagnostic-warning": { borderLeft: `4px dashed ${warning}` },
  ".cm-diagnostic-info, .cm-diagnostic-hint": { borderLeft: `4px dotted ${info}` },
  ".cm-problem-help, .cm-problem-code": { display: "block", color: muted },
  ".cm-diagnosticAction": {
    backgroundColor: accent,
    color: paper,
    font: "inherit",
    padding: "3px 10px",
    borderRadius: "4px",
    margin: "6px 6px 0 0",
  },
  ".cm-message": {
    display: "inline-block",
    maxWidth: "72ch",
    marginLeft: "2ch",
    overflow: "hidden",
    textOverflow: "ellipsis",
    whiteSpace: "pre",
    verticalAlign: "bottom",
    pointerEvents: "none",
  },
  ".cm-message-error": { color: error },
  ".cm-message-warning": { color: warning },
  ".cm-message-info": { color: info },
  ".cm-why": { backgroundColor: why, boxShadow: `0 2px 0 ${whyEdge}` },
  ".cm-why-line": { boxShadow: `inset 3px 0 0 ${whyEdge}` },
});

const code = EditorView.theme({
  ".cm-y-key": { color: colour("key", "#1f5fbf", "#7fb1ff") },
  ".cm-y-string": { color: colour("string", "#1c6b42", "#8fd6ae") },
  ".cm-y-comment": { color: muted, fontStyle: "italic" },
  ".cm-y-mark": { color: colour("mark", "#7a3e9d", "#c9a0e6") },
  ".cm-y-sign": { color: muted },
});

export const theme = [look, boxes, problems, code];
