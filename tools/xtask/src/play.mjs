// Plays a lesson's messages to a marked worker program, in the folder this file is copied to, and
// writes which of its functions ran: node play.mjs MESSAGES RAN
import fs from "node:fs";

const [, , messages, ran] = process.argv;

// The worker's surroundings, and what is under way in them.
let busy = 0;
const counted = (begin) => (...args) => {
  busy++;
  return begin(...args).finally(() => busy--);
};
const later = globalThis.setTimeout;
globalThis.self = globalThis;
globalThis.WorkerGlobalScope = Object;
globalThis.postMessage = () => {};
globalThis.fetch = counted(async (url) => {
  const type = { "content-type": "application/wasm" };
  return new Response(fs.readFileSync(new URL(url.url ?? url)), { headers: type });
});
WebAssembly.instantiate = counted(WebAssembly.instantiate);
globalThis.setTimeout = (work, ms) => {
  busy++;
  return later(() => {
    busy--;
    work();
  }, ms);
};

async function rest() {
  for (let still = 0; still < 5; still = busy ? 0 : still + 1) {
    await new Promise((done) => setImmediate(done));
  }
}

const { default: init } = await import("./podlab-worker.js");
const wasm = await init({ module_or_path: fs.readFileSync(new URL("marked.wasm", import.meta.url)) });
const bytes = fs.readFileSync(messages);
for (let at = 0; at < bytes.length; ) {
  const end = at + 4 + bytes.readUInt32LE(at);
  globalThis.onmessage({ data: new Uint8Array(bytes.subarray(at + 4, end)) });
  await rest();
  at = end;
}
fs.writeFileSync(ran, new Uint8Array(wasm.memory.buffer).slice(wasm.notes.value, wasm.notes.value + 65536));
