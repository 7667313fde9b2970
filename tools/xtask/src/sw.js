// Keeps the whole lab in the browser after the first visit, so that it opens without a network.
// The build fills in the version and the exact list of files.
const VERSION = "VERSION_HERE";
const FILES = [
  "FILES_HERE",
];
// Several labs may share an origin, below different paths.
const PREFIX = `podlab ${registration.scope} `;

addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(PREFIX + VERSION)
      .then((cache) => cache.addAll(FILES.map((url) => new Request(url, { cache: "no-cache", priority: "low" }))))
      .then(() => skipWaiting()),
  );
});

// Keeps the version before this one too: tabs opened from it may still want a file of it, and
// names carry content hashes, so the two never mix.
addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX)))
      .then((names) => Promise.all(names.slice(0, -2).map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(registration.scope)) return;
  // Packs are their host's, whose names carry no hash: newest first, the last seen without a network.
  const packed = url.href.startsWith(`${registration.scope}packs/`);
  event.respondWith(packed ? newest(request, url) : answer(request, url));
});

async function newest(request, url) {
  const kept = await caches.open(`podlab-packs ${registration.scope}`);
  try {
    const came = await fetch(request);
    if (came.ok) await kept.put(request, came.clone());
    return came;
  } catch {
    // Without a network and never fetched: no packs, and none of their files.
    const status = url.pathname.endsWith("/index.json") ? 200 : 504;
    return (await kept.match(request)) ?? new Response("[]", { status });
  }
}

async function answer(request, url) {
  const current = await caches.open(PREFIX + VERSION);
  const page = request.mode === "navigate" && /\/(index\.html)?$/.test(url.pathname);
  const kept = await current.match(page ? "./index.html" : request, { ignoreSearch: page });
  if (kept) return kept;
  for (const name of await caches.keys()) {
    if (!name.startsWith(PREFIX)) continue;
    const older = await (await caches.open(name)).match(request);
    if (older) return older;
  }
  return fetch(request);
}
