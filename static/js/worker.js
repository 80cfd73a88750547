/* Keeps one person's page and what it is drawn with, and shows that copy when the network fails.
   One worker a link: its scope is the link's own address, so it never answers for another's. */
"use strict";

const HOME = new URL(registration.scope).pathname;
const NAME = `aftercare ${HOME}`;
const PARTS = ["", "/wrong", "/unsent"];
const PATIENCE = 6000; // ms until a copy is better than a network that may never answer
const LONG = 20000; // the same for what is being sent

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

/* The page, "Something wrong?", and what is said when a form could not be sent. */
async function keep({ copy }) {
  const { pathname, search } = new URL(copy, location);
  const answers = await Promise.all(
    PARTS.map((part) => fetch(pathname + part + search, { cache: "no-store" })),
  );
  if (answers.some(({ status }) => status === 404)) return forget();
  if (!answers.every(({ ok }) => ok)) return Boolean(await copyOf("", search));
  const texts = await Promise.all(answers.map((answer) => answer.clone().text()));
  const drawn = [...texts.join().matchAll(/(?:href|src)="(\/static\/[^"#]+\.(?:css|js))"/g)];
  const assets = [...new Set(drawn.map(([, address]) => new URL(address, location).href))];
  const cache = await caches.open(NAME);
  await cache.addAll(assets);
  await Promise.all(PARTS.map((part, at) => cache.put(HOME + part + search, answers[at])));
  for (const { url } of await cache.keys()) {
    if (new URL(url).pathname.startsWith("/static/") && !assets.includes(url)) await cache.delete(url);
  }
  return true;
}

async function forget() {
  await caches.delete(NAME);
  await registration.unregister();
  return false;
}

/* The copy in the language asked for, or in whichever there is. */
async function copyOf(part, search) {
  const cache = await caches.open(NAME);
  return (await cache.match(HOME + part + search)) || cache.match(HOME + part, { ignoreSearch: true });
}

/* What a form could not send is said, and what was ticked on it stays ticked. */
async function unsent(form, search) {
  const copy = await copyOf("/unsent", search);
  if (!copy) return null;
  const ticked = new Set((await form).getAll("sign").map((sign) => `value="${sign}"`));
  const text = (await copy.text()).replace(/value="[^"]*"/g, (value) =>
    (ticked.has(value) ? `${value} checked` : value));
  const headers = new Headers(copy.headers);
  for (const name of ["Content-Encoding", "Content-Length"]) headers.delete(name);
  return new Response(text, { headers });
}

async function open(request, url) {
  const sends = request.method === "POST";
  const form = sends && request.clone().formData();
  const asked = fetch(request);
  const slow = new Promise((resolve) => setTimeout(resolve, sends ? LONG : PATIENCE));
  const part = url.pathname === `${HOME}/wrong` ? "/wrong" : "";
  const instead = () => (sends ? unsent(form, url.search) : copyOf(part, url.search));
  let answer;
  try {
    answer = await Promise.race([asked, slow]);
  } catch (error) {
    const copy = await instead();
    if (copy) return copy;
    throw error;
  }
  if (!answer) return (await instead()) || asked;
  const home = url.pathname === HOME;
  const notYou = sends && url.pathname === `${HOME}/not-you`;
  if ((home && answer.status === 404) || (notYou && answer.status < 400)) await forget();
  else if ((home || part) && (answer.status === 429 || answer.status >= 500)) return (await instead()) || answer;
  return answer;
}

async function draw(request) {
  const cache = await caches.open(NAME);
  return (await cache.match(request, { ignoreSearch: true })) || fetch(request);
}
