/* Keeps one person's page and what it is drawn with, and shows that copy when the network fails.
   One worker a link: its scope is the link's own address, so it never answers for another's. */
"use strict";

const HOME = new URL(registration.scope).pathname;
const NAME = `aftercare ${HOME}`;
const PATIENCE = 6000; // ms until a copy is better than a network that may never answer

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  const done = event.data.copy ? keep(event.data) : forget();
  event.waitUntil(done.then((kept) => event.source.postMessage({ kept })));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== location.origin) return;
  if (event.request.mode === "navigate") event.respondWith(open(event.request, url));
  else if (url.pathname.startsWith("/static/")) event.respondWith(draw(event.request));
});

async function keep({ copy, assets }) {
  const answer = await fetch(copy, { cache: "no-store" });
  if (answer.status === 404) return forget();
  if (!answer.ok) return Boolean(await copyOf(HOME));
  const cache = await caches.open(NAME);
  await cache.addAll(assets);
  await cache.put(HOME + new URL(copy, location).search, answer);
  for (const { url } of await cache.keys()) {
    if (new URL(url).pathname !== HOME && !assets.includes(url)) await cache.delete(url);
  }
  return true;
}

async function forget() {
  await caches.delete(NAME);
  await registration.unregister();
  return false;
}

/* The copy in the language asked for, or in whichever there is. */
async function copyOf(address) {
  const cache = await caches.open(NAME);
  return (await cache.match(address)) || cache.match(HOME, { ignoreSearch: true });
}

async function open(request, url) {
  const asked = fetch(request);
  const slow = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  let answer;
  try {
    answer = await Promise.race([asked, slow]);
  } catch (error) {
    const copy = await copyOf(HOME + url.search);
    if (copy) return copy;
    throw error;
  }
  if (!answer) return (request.method === "GET" && (await copyOf(HOME + url.search))) || asked;
  const home = url.pathname === HOME;
  const notYou = request.method === "POST" && url.pathname === `${HOME}/not-you`;
  if ((home && answer.status === 404) || (notYou && answer.status < 400)) await forget();
  else if (home && answer.status >= 500) return (await copyOf(HOME + url.search)) || answer;
  return answer;
}

async function draw(request) {
  const cache = await caches.open(NAME);
  return (await cache.match(request, { ignoreSearch: true })) || fetch(request);
}
