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

const post = (address) =>
  fetch(address, { method: "POST", body: new FormData(way), keepalive: true });

function empty() {
  document.body.replaceChildren();
  document.title = "Locked · Aftercare";
}

async function lock() {
  if (locked) return;
  locked = true;
  empty();
  tabs.postMessage("locked");
  let next = "/locked/";
  try {
    next = (await post(way.getAttribute("action"))).url;
  } catch {
    /* No network: the server locks by itself, and asks when it is reached again. */
  }
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

tabs.addEventListener("message", ({ data }) => {
  if (data === "locked") {
    empty();
    location.reload();
  } else hand = told = Date.now();
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
