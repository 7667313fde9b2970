// For a room: shows the keys that are pressed, and keeps the presenter's notes in a window of its
// own. Loaded only while the address says `present`; the lab itself decides nothing by it.
const SHOWN_MS = 1500;
const NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
const presenting = () => /[?&]present(&|$)/.test(location.hash);
const find = (selector) => document.querySelector(selector);

const shown = document.createElement("div");
shown.className = "keys-shown";
shown.hidden = true;
shown.setAttribute("aria-hidden", "true");
document.body.append(shown);
let hide = 0;

function show(text) {
  shown.textContent = text;
  shown.hidden = false;
  clearTimeout(hide);
  hide = setTimeout(() => (shown.hidden = true), SHOWN_MS);
}

function nameOf(event) {
  if (["Control", "Shift", "Alt", "Meta"].includes(event.key)) return "";
  const held = [event.ctrlKey && "Ctrl", event.altKey && "Alt", event.metaKey && "Cmd"];
  if (event.shiftKey && event.key.length > 1) held.push("Shift");
  const key = NAMES[event.key] ?? (event.key.length === 1 ? event.key.toUpperCase() : event.key);
  return [...held.filter(Boolean), key].join(" + ");
}

addEventListener("keydown", (event) => {
  if (!presenting()) return;
  const typing = event.target.closest?.("input[type=text], textarea, .cm-editor");
  const chord = event.ctrlKey || event.metaKey || event.key.length > 1;
  // Text that is typed is seen where it goes.
  if (!typing || (chord && !["Backspace", "Enter"].includes(event.key))) {
    const name = nameOf(event);
    if (name) show(name);
  }
  if (event.key === "Escape" && typing && !find(".cm-tooltip, .cm-panel")) {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "s", bubbles: true }));
  }
  if (event.key.toLowerCase() === "n" && !typing && !chord) openNotes();
});

// The presenter's window: this step's notes, the presenter's own, the step itself, what comes next.
let notes = null;

function make(tag, className, text = "") {
  const made = notes.document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

function openNotes() {
  notes = open("", "podlab-notes", "popup,width=560,height=780");
  if (!notes) return show("The browser blocked the notes window");
  const page = notes.document;
  page.title = "Podlab notes";
  page.documentElement.lang = document.documentElement.lang;
  page.documentElement.dataset.theme = document.documentElement.dataset.theme ?? "";
  page.head.replaceChildren(
    ...[...document.querySelectorAll("link[rel=stylesheet]")].map((link) => {
      const copy = page.createElement("link");
      copy.rel = "stylesheet";
      copy.href = link.href;
      return copy;
    }),
  );
  const own = make("textarea", "notes-own");
  own.rows = 5;
  own.setAttribute("aria-label", "Your notes on this step");
  own.placeholder = "Your notes on this step; kept in this browser";
  own.addEventListener("input", () => keep(own.value));
  const press = (text, selector) => {
    const button = make("button", "", text);
    button.addEventListener("click", () => find(selector)?.click());
    return button;
  };
  const row = make("div", "row");
  row.append(
    press("Back", ".lesson-foot button:first-child"),
    press("Next step", ".lesson-foot button:last-child"),
    press("Play or pause", ".transport .play"),
    press("Next event", ".transport .play + button"),
    make("span", "notes-clock"),
  );
  page.body.className = "notes-page";
  page.body.replaceChildren(row, make("div", "notes-told prose"), own, make("div", "notes-step"));
  step = "";
  mirror();
}

let step = "";
const keyOf = () => `podlab.notes.${location.hash.split("?")[0]} ${find(".lesson-step h2")?.textContent ?? ""}`;

function keep(text) {
  try {
    localStorage.setItem(keyOf(), text);
  } catch {
    show("Notes are not kept: the browser's storage is full");
  }
}

function mirror() {
  if (!notes || notes.closed || !notes.document.body.className) return;
  const page = notes.document;
  page.querySelector(".notes-clock").textContent = find(".transport .clock")?.textContent ?? "";
  const here = find(".lesson-step");
  const html = here?.innerHTML ?? "";
  if (html === step) return;
  const turned = page.querySelector(".notes-own").dataset.key !== keyOf();
  step = html;
  const told = [...(here?.querySelectorAll(".notes") ?? [])].flatMap((aside) => [...aside.children]);
  page.querySelector(".notes-told").replaceChildren(...told.map((node) => page.importNode(node, true)));
  const copy = page.importNode(here ?? document.createElement("div"), true);
  for (const gone of copy.querySelectorAll(".notes, button:not(.choice), .outcomes")) gone.remove();
  for (const fold of copy.querySelectorAll("details")) fold.open = true;
  page.querySelector(".notes-step").replaceChildren(copy);
  if (!turned) return;
  const own = page.querySelector(".notes-own");
  own.dataset.key = keyOf();
  own.value = localStorage.getItem(keyOf()) ?? "";
}

setInterval(mirror, 250);
