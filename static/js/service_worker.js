// Shows a page of ours in place of the browser's own while there is no network. It keeps that page and
// its looks, and nothing else: no conversation, no answer, nothing of the API. What is asked for always
// goes to the network first, so that nothing old is ever shown.

const worker = /** @type {any} */ (self);
const OFFLINE = "/offline/";
/** One for each build: its name comes with the address under which the page registered this worker. */
const CACHE = `offline-${new URL(location.href).searchParams.get("v")}`;

worker.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(keepOfflinePage().then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(forgetOthers().then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(fetch(request).catch((error) => kept(OFFLINE, error)));
  else if (isLook(request)) event.respondWith(fetch(request).catch((error) => kept(request, error)));
});

/** The page, and the style sheets, fonts and scripts that it names itself. */
async function keepOfflinePage() {
  const cache = await caches.open(CACHE);
  const page = await fetch(OFFLINE, { cache: "reload" });
  if (!page.ok) throw new Error(`the offline page answered ${page.status}`);
  const html = await page.clone().text();
  const looks = [...html.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, path = ""]) => path);
  await cache.addAll([...new Set(looks)]);
  await cache.put(OFFLINE, page);
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
}

/** @param {Request} request */
function isLook(request) {
  return ["style", "font", "image", "script"].includes(request.destination);
}

/** @param {Request | string} request @param {unknown} error @returns {Promise<Response>} */
async function kept(request, error) {
  const cache = await caches.open(CACHE);
  // The language and the cookies of today need not be those with which it was kept.
  const found = await cache.match(request, { ignoreVary: true });
  if (!found) throw error;
  return found;
}
