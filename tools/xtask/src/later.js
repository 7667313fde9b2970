
// The program's second half: fetched in peace once the first one runs, or at once when that calls
// into it before.
const LATER = new URL("podlab-worker_later.wasm", import.meta.url);

function put(module) {
  const first = initSync();
  if (first.filled.value) return;
  new WebAssembly.Instance(module, { first });
  first.filled.value = 1;
}

// The first half's import. A connection that hiccups is asked a second time.
export function fill() {
  for (let tries = 0; tries < 2; tries++) {
    try {
      const request = new XMLHttpRequest();
      request.open("GET", LATER, false);
      request.responseType = "arraybuffer";
      request.send();
      if (request.status === 200) return put(new WebAssembly.Module(request.response));
    } catch {
      // No connection.
    }
  }
  throw new Error("A part of the lab could not be loaded. Look at the connection and try again.");
}

// What does not come now is fetched when it is called for.
export async function warm() {
  try {
    const answer = await fetch(LATER);
    if (answer.ok) put(await WebAssembly.compile(await answer.arrayBuffer()));
  } catch {
    // No connection.
  }
}
