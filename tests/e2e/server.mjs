// A plain static file host: no rewriting, no headers but the type. The site lives below a path,
// as it does on most hosts, and anything outside it is 404.
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

export const BASE = "/labs/podlab/";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

async function answer(dir, request, response) {
  const path = decodeURIComponent(new URL(request.url, "http://x").pathname);
  let file = path.startsWith(BASE) ? normalize(path.slice(BASE.length)) : "..";
  if (file === ".") file = "index.html";
  try {
    if (file.startsWith("..") || !(await stat(join(dir, file))).isFile()) throw new Error("no file");
    const bytes = await readFile(join(dir, file));
    response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
    response.end(bytes);
  } catch {
    response.writeHead(404, { "content-type": "text/plain" });
    response.end("not here");
  }
}

// Serves `dir` on a free port; `seen` has the paths asked for, `close` ends it with all its connections.
export function serve(dir) {
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request.url);
    return answer(dir, request, response);
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      resolve({
        url: `http://127.0.0.1:${port}${BASE}`,
        seen,
        close: () => {
          const closed = new Promise((done) => server.close(done));
          server.closeAllConnections();
          return closed;
        },
      });
    });
  });
}
