/* The patient's page on a phone: it keeps a copy, and shows of that copy what its moments say.
   No rule stands here: the server gives every moment, this compares them with the clock. */
"use strict";

(() => {
  const box = document.getElementById("keep");
  const { key, home } = box.dataset;
  const copied = "copied" in box.dataset;
  const given = Number(box.dataset.now);

  /* Storage may be forbidden; then nothing is remembered, and everything still shows. */
  const memory = {
    get: (name) => { try { return localStorage.getItem(`aftercare ${name}`); } catch { return null; } },
    set: (name, value) => { try { localStorage.setItem(`aftercare ${name}`, value); } catch { /* forbidden */ } },
    clear: (part, but = "\n") => {
      try {
        for (const name of Object.keys(localStorage)) {
          if (name.includes(part) && !name.includes(but)) localStorage.removeItem(name);
        }
      } catch { /* forbidden */ }
    },
  };

  /* How far the phone's clock is off ours, measured whenever the page comes from the network. */
  if (!copied) memory.set("clock", String(given - Date.now()));
  const off = Number(memory.get("clock"));
  const now = () => Math.max(given, Date.now() + off);

  /* --- What shows from one moment until another -------------------------------------------- */
  function show() {
    for (const part of document.querySelectorAll("template[data-from]")) {
      const at = now();
      const on = at >= Number(part.dataset.from) && at < Number(part.dataset.until || Infinity);
      if (on && !part.shown) {
        part.shown = [...part.content.cloneNode(true).childNodes];
        part.after(...part.shown);
      } else if (!on && part.shown) {
        for (const node of part.shown) node.remove();
        part.shown = null;
      }
    }
    tickable();
    time();
  }

  /* --- The day's list: ticks stay on this phone, a new day begins with none ------------------ */
  const today = () => (document.querySelector("h1 [data-day]") || box).dataset.day;

  function tickable() {
    const day = today();
    const name = `${key} ${day}`;
    memory.clear(`${key} 2`, day);
    const ticked = () => new Set((memory.get(name) || "").split("|"));
    for (const item of document.querySelectorAll("li[data-tick]")) {
      if (item.dataset.day === day) continue;
      let input = item.querySelector("input");
      if (!input) {
        const label = document.createElement("label");
        input = document.createElement("input");
        input.type = "checkbox";
        label.className = "tick";
        label.append(input, ...item.childNodes);
        item.append(label);
      }
      item.dataset.day = day;
      input.checked = ticked().has(item.dataset.tick);
      input.onchange = () => {
        const all = ticked();
        all[input.checked ? "add" : "delete"](item.dataset.tick);
        memory.set(name, [...all].join("|"));
      };
    }
    for (const note of document.querySelectorAll("[data-ticks]")) note.hidden = false;
  }

  /* --- A timer: the minutes are the plan's -------------------------------------------------- */
  function time() {
    for (const item of document.querySelectorAll("[data-timer]")) {
      const [may, must] = item.dataset.timer.split(" ").map((minutes) => minutes * 60);
      const [start, stop] = item.querySelectorAll("button");
      const began = Number(memory.get(`${key} ${today()} timer`));
      const gone = began ? Math.floor((Date.now() - began) / 1000) : -1;
      const state = gone < 0 ? "" : gone < may ? "on" : gone < must ? "may" : "must";
      const left = Math.max(0, (gone < may ? may : must) - gone);
      item.hidden = false;
      start.hidden = Boolean(state);
      stop.hidden = !state;
      item.querySelector("[role=timer]").textContent = state
        ? `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}` : "";
      if (item.dataset.state !== state) {
        if (item.dataset.state && state) navigator.vibrate?.(400);
        item.dataset.state = state;
        for (const one of item.querySelectorAll("[data-say]")) one.hidden = one.dataset.say !== state;
      }
      start.onclick = () => { memory.set(`${key} ${today()} timer`, String(Date.now())); time(); stop.focus(); };
      stop.onclick = () => { memory.clear(`${key} ${today()} timer`); time(); start.focus(); };
    }
  }

  /* --- The copy on this phone --------------------------------------------------------------- */
  function say(kept) {
    for (const part of box.querySelectorAll("[data-kept]")) {
      part.hidden = part.dataset.kept !== (kept ? "yes" : "no");
    }
  }

  async function keep() {
    await navigator.serviceWorker.register("/worker.js", { scope: home });
    const { active } = await navigator.serviceWorker.ready;
    active.postMessage({ copy: box.dataset.copy });
  }

  async function forget() {
    const registration = await navigator.serviceWorker.getRegistration(home);
    registration?.active?.postMessage({ forget: true });
    memory.clear(key);
    memory.set(`${key} removed`, "yes");
    say(false);
  }

  if ("serviceWorker" in navigator) {
    navigator.serviceWorker.addEventListener("message", ({ data }) => say(data.kept));
    box.addEventListener("click", ({ target }) => {
      const act = target.closest("[data-act]")?.dataset.act;
      if (act === "forget") forget();
      if (act === "keep") { memory.clear(`${key} removed`); keep(); }
    });
    if (memory.get(`${key} removed`)) say(false);
    else if (!copied) keep().catch(() => {});
  }

  /* --- A page left open: a newer one if there is a network, else the copy ------------------- */
  async function refresh() {
    show();
    if (!copied && now() < Number(box.dataset.until)) return;
    const reached = await fetch(location, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (reached) location.reload();
    else if (!copied && navigator.serviceWorker?.controller) location.reload();
    else if (!copied) box.querySelector("[data-stale]").hidden = false;
  }

  show();
  setInterval(time, 1000);
  setInterval(copied ? show : refresh, 20000);
  addEventListener("online", refresh);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
})();
