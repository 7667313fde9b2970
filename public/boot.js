// Starts the page: loads its wasm, keeps an offline copy, and shows a readable page when
// something of ours fails. The lab itself is Rust; nothing is decided here.
const tag = document.querySelector("script[data-wasm]");
const at = (path) => new URL(path, document.baseURI).href;

// Said once: a panic is followed by more errors, and the first one is the cause.
function fail(why, detail) {
  const page = document.getElementById("failed");
  if (!page || !page.hidden) return;
  document.getElementById("failed-why").textContent = why;
  document.getElementById("failed-detail").textContent = [
    detail,
    `page ${tag?.dataset.wasm ?? "?"}`,
    location.href.slice(0, 300),
    navigator.userAgent,
  ].join("\n");
  document.getElementById("failed-reload").onclick = () => location.reload();
  document.getElementById("failed-save").onclick = saveWork;
  document.getElementById("shell")?.remove();
  document.documentElement.classList.add("has-failed");
  page.hidden = false;
  page.querySelector("button").focus();
}

function saveWork() {
  // In the form of "Download all work", which "Open" reads: lengths count bytes.
  let all = "podlab-all 1\n";
  try {
    for (const [key, record] of Object.entries(localStorage)) {
      if (!key.startsWith("podlab.work.")) continue;
      all += `record ${new TextEncoder().encode(record).length}\n${record}\n`;
    }
  } catch {
    // This browser does not let the page read its storage: there is no work in it either.
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([all], { type: "text/plain" }));
  link.download = "podlab-work.txt";
  link.click();
}

function missing() {
  const needed = {
    WebAssembly: typeof WebAssembly === "object",
    "web workers": typeof Worker === "function",
    "structured clone": typeof structuredClone === "function",
  };
  return Object.keys(needed).filter((name) => !needed[name]);
}

const BROKE = "A part of the lab broke down. This is our mistake, not yours.";

// A panic in wasm arrives as a RuntimeError; the page may report one first, with its own words.
addEventListener("podlab-failed", (event) => fail(BROKE, String(event.detail)));
addEventListener("error", (event) => broke(event.error));
addEventListener("unhandledrejection", (event) => broke(event.reason));

function broke(error) {
  if (error instanceof WebAssembly.RuntimeError) fail(BROKE, error.stack);
}

const meta = (name) => at(document.querySelector(`meta[name=${name}]`).content);

// What the page will ask for once its own program runs is on its way meanwhile. `came` keeps what
// the simulator says before the page listens; see src/ui/engine.rs.
function ahead() {
  if (!/^#\/(lesson\/|sandbox)/.test(location.hash)) return;
  try {
    const came = [];
    const worker = new Worker(meta("podlab-worker"), { type: "module" });
    worker.onmessage = worker.onerror = (event) => came.push(event);
    globalThis.podlabAhead = { worker, came };
  } catch {
    // The page tries again and says what it met.
  }
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = meta("podlab-editor");
  document.head.append(link);
}

async function start() {
  const lacks = missing();
  if (lacks.length) {
    fail(`This browser lacks ${lacks.join(", ")}. A current Firefox, Chrome, Edge or Safari has it.`, "");
    return;
  }
  ahead();
  try {
    const page = await import(at(tag.dataset.js));
    await page.default({ module_or_path: at(tag.dataset.wasm) });
  } catch (error) {
    broke(error);
    fail("A file of the lab could not be loaded. Check the connection and load the page again.", String(error));
  }
}

// Late, because it fetches every file there is: the lab that is being opened comes first.
const OFFLINE_AFTER_MS = 4000;

function keepOffline() {
  if (!("serviceWorker" in navigator) || !isSecureContext) return;
  navigator.serviceWorker.register(at("sw.js")).catch(() => {
    // Without it the lab works all the same, only not without a connection.
  });
}

// Keys shown and notes for a room: asked for in the address, so most visitors never load it.
function present() {
  if (!/[?&]present(&|$)/.test(location.hash)) return;
  import(meta("podlab-present")).catch(() => {
    // The lab works without it.
  });
}

addEventListener("hashchange", present);
addEventListener("podlab-present", present);
present();
await start();
setTimeout(keepOffline, OFFLINE_AFTER_MS);
