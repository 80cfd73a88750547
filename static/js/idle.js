/* The page locks when no hand has been on it for a while: what it shows goes at once, then the
   server is told, and the way back leads through it. While a hand is on it the server is told of
   that, now and then, since reading and typing ask it for nothing. */
"use strict";

const way = document.querySelector("[data-lock-after]");
const after = Number(way.dataset.lockAfter) * 1000;
const tellEvery = Number(way.dataset.toldEvery) * 1000;
/* A hand on one tab is a hand on all of them. */
const tabs = new BroadcastChannel("hands");
let hand = Date.now();
let told = hand;
let locked = false;

function post(address, typed = "") {
  const body = new FormData(way);
  body.append("typed", typed);
  return fetch(address, { method: "POST", body, keepalive: true });
}

/* What is being typed goes to the server with the lock and comes back when it opens; no password,
   no file. A page that shows an error holds what was sent before. */
const QUIET = ["hidden", "password", "file", "submit", "button", "fieldset"];

function changed(one) {
  if (one.options) return [...one.options].some((o) => o.selected !== o.defaultSelected);
  if ("checkbox radio".includes(one.type)) return one.checked !== one.defaultChecked;
  return one.value !== one.defaultValue;
}

function typed() {
  const fields = [...document.querySelectorAll("main form")].flatMap((form) =>
    [...form.elements].filter((one) => one.name && !QUIET.includes(one.type)),
  );
  if (!fields.some(changed) && !document.querySelector("main .errorlist")) return "";
  return JSON.stringify(
    fields.map((one) => [one.form.getAttribute("action"), one.name, one.value, !!one.checked]),
  );
}

for (const [action, name, value, checked] of JSON.parse(
  document.getElementById("typed-before")?.textContent ?? "[]",
)) {
  for (const one of document.querySelectorAll(`main form [name="${CSS.escape(name)}"]`)) {
    if (one.form.getAttribute("action") !== action) continue;
    if (!"checkbox radio".includes(one.type)) one.value = value;
    else if (one.value === value) one.checked = checked;
    one.closest("details")?.setAttribute("open", "");
  }
}

function empty() {
  document.body.replaceChildren();
  document.title = "Locked · Aftercare";
}

async function lock() {
  if (locked) return;
  locked = true;
  const kept = typed();
  empty();
  tabs.postMessage("locked");
  let next = "/locked/";
  try {
    next = (await post(way.getAttribute("action"), kept)).url;
  } catch {
    /* No network: the server locks by itself, and asks when it is reached again. */
  }
  tabs.postMessage("go on");
  location.replace(next);
}

async function tell() {
  told = Date.now();
  tabs.postMessage("hand");
  const answer = await post(way.dataset.stillHere).catch(() => null);
  /* Locked or signed out elsewhere: load the page, and be led where the server wants us. */
  if (answer?.redirected) location.reload();
}

function look() {
  if (Date.now() - hand >= after) lock();
  else if (hand > told && Date.now() - told >= tellEvery) tell();
}

function touched() {
  look(); /* a machine that slept meets the first hand with a screen to lock */
  if (!locked) hand = Date.now();
}

way.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("formaction")) return;
  event.preventDefault();
  lock();
});

tabs.addEventListener("message", ({ data }) => {
  if (data === "locked") {
    locked = true;
    empty();
    setTimeout(() => location.reload(), 10000); /* the tab that locked may be gone */
  } else if (data === "go on") location.reload();
  else hand = told = Date.now();
});
for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"]) {
  addEventListener(kind, touched, { passive: true, capture: true });
}
document.addEventListener("visibilitychange", look);
setInterval(look, 1000);

/* A copy that the browser kept for its back button: what it shows may be locked by now. */
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  empty();
  location.reload();
});
