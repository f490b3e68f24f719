// Keeps the site in the browser: what was loaded once is never asked for again, and the site starts without its server.
// In place of JupyterLite's own worker, which forgets that it may keep anything as soon as the browser has put it to sleep.
// It also carries the kernel's questions about files to the page that has them, as JupyterLite's worker does.
"use strict";

/** Every file of the site. */
const FILES = new Set("@FILES@");
/** Those that a page needs later, when the server may be gone. */
const KEPT = "@KEPT@";
/** A mark of all contents: another site keeps its files elsewhere. */
const CONTENT = "@CONTENT@";
/** Kept unpacked, for a browser compiles such a file only once if it comes from its own store. */
const WASM = ".wasm.bin";

const scope = new URL(registration.scope);
const OURS = `replication-lab ${scope.pathname} `;
const store = () => caches.open(OURS + CONTENT);
const channel = new BroadcastChannel("/sw-api.v1");
const TRIES = 4;
const PAUSE = 300;
/** What a kernel may ask about files without a change to them. */
const READS = new Set(["readdir", "getmode", "lookup", "getattr", "get"]);
/** Milliseconds. A page that is busy answers later; each time a read is asked again, it gets twice as long. */
const FIRST_WAIT = 500;
const LAST_WAIT = 16_000;
const WRITTEN_WITHIN = 20_000;

/** The address of a file of this site, without a query; undefined for any other address. */
function fileAt(address) {
  const url = new URL(address);
  if (url.origin !== scope.origin || !url.pathname.startsWith(scope.pathname)) return undefined;
  const place = decodeURIComponent(url.pathname.slice(scope.pathname.length));
  const file = place === "" || place.endsWith("/") ? `${place}index.html` : place;
  return FILES.has(file) ? new URL(encodeURI(file), scope).href : undefined;
}

/** From the server. Where the connection breaks (another network, a server that restarts), it is asked again. */
async function load(address) {
  for (let tried = 1; ; tried++) {
    try {
      return await fetch(address, { cache: "no-cache" });
    } catch (problem) {
      if (tried === TRIES) throw problem;
      await new Promise((done) => setTimeout(done, PAUSE * tried));
    }
  }
}

/** Load a file and put it into the store under the address `key`. */
async function keep(cache, file, key) {
  const response = await load(file);
  if (response.status !== 200) return { response };
  if (file.endsWith(WASM)) {
    const content = response.body.pipeThrough(new DecompressionStream("gzip"));
    await cache.put(key, new Response(content, { headers: { "content-type": "application/wasm" } }));
    return { response: await cache.match(key) };
  }
  const copy = response.clone();
  return { response, kept: cache.put(key, copy) };
}

async function answer(event, file) {
  const { request } = event;
  // Under the address that the page asks for: only there does a browser keep what it has compiled of a script.
  const key = request.mode === "navigate" ? file : request.url;
  const cache = await store();
  const found = (await cache.match(key)) ?? (await cache.match(file));
  if (found) return found;
  const { response, kept } = await keep(cache, file, key);
  event.waitUntil(kept);
  return response;
}

async function keepAll(places) {
  const cache = await store();
  for (const place of places) {
    const file = new URL(encodeURI(place), scope).href;
    if (!(await cache.match(file))) await (await keep(cache, file, file)).kept;
  }
}

async function forgetOthers() {
  for (const name of await caches.keys()) if (name.startsWith(OURS) && name !== OURS + CONTENT) await caches.delete(name);
}

/** Ask the pages, once; the one whose kernel it is answers. Undefined if none has within `wait` milliseconds. */
function ask(question, wait = Infinity) {
  return new Promise((done) => {
    const stop = (response) => {
      channel.removeEventListener("message", hear);
      clearTimeout(late);
      done(response);
    };
    function hear({ data }) {
      const { requestId, browsingContextId } = question;
      if (data.requestId === requestId && data.browsingContextId === browsingContextId && "response" in data) stop(data);
    }
    const late = wait < Infinity ? setTimeout(stop, wait) : undefined;
    channel.addEventListener("message", hear);
    channel.postMessage(question);
  });
}

/** Hand a kernel's question to the pages. The kernel stands still until it has the answer, and JupyterLite's page gives
 * none where it cannot do what it was asked: the file is not there any more, the browser has no room left. */
async function carry(request, pathname) {
  const asked = await request.json();
  const question = { ...asked, requestId: asked.requestId ?? crypto.randomUUID(), pathname };
  const answered = pathname.includes("/api/stdin/")
    ? await ask(question) // a person may think for as long as they like
    : READS.has(question.data.method)
      ? await read(question)
      : await ask(question, WRITTEN_WITHIN);
  return answered ? new Response(JSON.stringify(answered.response)) : new Response("no answer", { status: 504 });
}

/** A question that changes nothing: ask again until there is an answer, or the file is not there. */
async function read(question) {
  const again = (data) => ({ ...question, data, requestId: crypto.randomUUID() });
  const { path } = question.data;
  for (let wait = FIRST_WAIT; wait <= LAST_WAIT; wait *= 2) {
    const answered = await ask(again(question.data), wait);
    if (answered) return answered;
    const found = await ask(again({ method: "lookup", path }), wait);
    if (found && !found.response.ok) return undefined;
  }
  return undefined;
}

self.addEventListener("install", () => {
  // A newer site waits until no page of the older one is open: a page goes on with the files that it began with.
  if (!registration.active) self.skipWaiting();
});
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers().then(() => self.clients.claim())));
self.addEventListener("message", (event) => {
  if (event.data === "keep") event.waitUntil(keepAll(KEPT));
  if (event.data !== "newer?") return;
  const only = self.clients.matchAll({ includeUncontrolled: true }).then((open) => open.length < 2 && self.skipWaiting());
  event.waitUntil(only);
});
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== scope.origin) return;
  if (url.pathname === "/api/service-worker-heartbeat") event.respondWith(new Response("ok"));
  else if (request.method === "POST" && /\/api\/(drive|stdin\/)/.test(url.pathname)) {
    event.respondWith(carry(request, url.pathname));
  } else if (request.method === "GET" && !request.headers.has("range")) {
    const file = fileAt(request.url);
    if (file !== undefined) event.respondWith(answer(event, file));
  }
});
