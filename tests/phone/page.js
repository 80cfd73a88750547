// The phone's page: one list of people, one open thread, both kept from a single map of items.

import { dayOf, drawMail, drawText, icon, make, sayAddress, sayDay, sayWhen } from "/draw.js";

const items = new Map();
const threads = new Map(); // address -> items, oldest first
const rows = new Map(); // address -> its <li>
const bubbles = new Map(); // item id -> its nodes in the open thread
const seen = JSON.parse(localStorage.getItem("seen") || "{}"); // address -> time read up to
const $ = (id) => document.getElementById(id);
const wide = matchMedia("(min-width: 820px)");
let open = null;

// ---- the thread ----
function drawThread() {
  const thread = threads.get(open) || [];
  $("thread").replaceChildren();
  bubbles.clear();
  thread.forEach((item, index) => place(item, thread[index - 1]));
  $("thread").scrollTop = $("thread").scrollHeight;
}

function place(item, before) {
  const nodes = item.kind === "text" ? drawText(item) : drawMail(item);
  const old = bubbles.get(item.id);
  bubbles.set(item.id, nodes);
  if (old) {
    old.forEach((node, index) => node.replaceWith(nodes[index]));
    return;
  }
  if (!before || dayOf(before.at) !== dayOf(item.at)) {
    $("thread").append(make("p", "day", sayDay(item.at)));
  }
  $("thread").append(...nodes);
}

const ours = () => (threads.get(open) || []).findLast((item) => item.kind === "text" && item.direction !== "inbound");

function drawHeader() {
  const isMail = open !== null && open.includes("@");
  const sender = ours();
  $("who").textContent = open === null ? "Choose somebody" : sayAddress(open);
  $("about").textContent = open === null ? "Their texts or mail show here."
    : isMail ? "Mailbox" : sender ? `Texts with ${sayAddress(sender.sender)}` : "No texts yet";
  $("reply").hidden = open === null || isMail || !sender;
  document.title = open === null ? "The phone" : `${sayAddress(open)} – The phone`;
}

function show(address) {
  open = address;
  document.body.classList.toggle("open", open !== null);
  $("trouble").textContent = "";
  drawHeader();
  drawThread();
  markSeen();
  drawPeople();
}

function markSeen() {
  const last = (threads.get(open) || []).at(-1);
  if (!last || document.hidden) return;
  seen[open] = last.at;
  localStorage.setItem("seen", JSON.stringify(seen));
}

// ---- the people ----
function drawPeople() {
  const order = [...threads.entries()].sort((a, b) => b[1].at(-1).at - a[1].at(-1).at);
  const focused = document.activeElement;
  $("nobody").hidden = order.length > 0;
  const wanted = order.map(([address, thread]) => drawPerson(address, thread));
  if (wanted.some((row, index) => $("people").children[index] !== row)
      || $("people").childElementCount !== wanted.length) {
    $("people").replaceChildren(...wanted);
    if ($("people").contains(focused)) focused.focus();
  }
}

function drawPerson(address, thread) {
  const last = thread.at(-1);
  const unread = thread.some((item) => item.at > (seen[address] || 0) && item.direction !== "inbound");
  const row = rows.get(address) || make("li", "", make("a"));
  rows.set(address, row);
  const link = row.firstChild;
  link.href = "#" + encodeURIComponent(address);
  link.className = unread ? "unread" : "";
  link.toggleAttribute("aria-current", address === open);
  if (address === open) link.setAttribute("aria-current", "true");
  link.replaceChildren(
    make("span", "face", icon(last.kind)), make("span", "name", sayAddress(address)),
    make("span", "when", sayWhen(last.at)),
    make("span", "last", last.kind === "mail" ? last.subject : (last.direction === "inbound" ? "You: " : "") + last.body),
    unread ? make("span", "dot", make("span", "unseen", "unread")) : "",
  );
  return row;
}

// ---- what arrives ----
function take(arrived) {
  const fresh = [];
  for (const item of arrived) {
    const known = items.get(item.id);
    if (known && known.updated_at >= item.updated_at) continue;
    items.set(item.id, item);
    const thread = threads.get(item.address) || [];
    threads.set(item.address, thread);
    if (known) thread[thread.indexOf(known)] = item;
    else thread.push(item);
    if (!known && item.direction !== "inbound") fresh.push(item);
    if (item.address === open) placeLive(item, thread);
  }
  if (fresh.length) announce(fresh);
  markSeen();
  drawHeader();
  drawPeople();
}

function placeLive(item, thread) {
  const room = $("thread");
  const atEnd = room.scrollHeight - room.scrollTop - room.clientHeight < 80;
  place(item, thread[thread.indexOf(item) - 1]);
  if (atEnd || item.direction === "inbound") room.scrollTop = room.scrollHeight;
}

function announce(fresh) {
  const last = fresh.at(-1);
  const what = last.kind === "mail" ? `Mail: ${last.subject}` : last.body;
  const more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
  $("news").textContent = `New for ${sayAddress(last.address)}${more}. ${what}`;
}

let first = true;
async function readAll() {
  const answer = await fetch("/messages.json?limit=5000");
  [items, threads, rows, bubbles].forEach((map) => map.clear());
  $("people").replaceChildren();
  const all = await answer.json();
  for (const item of all) {
    items.set(item.id, item);
    threads.set(item.address, [...(threads.get(item.address) || []), item]);
  }
  const newest = all.at(-1);
  const asked = decodeURIComponent(location.hash.slice(1));
  show(asked || open || (first && wide.matches && newest ? newest.address : null));
  first = false;
}

const stream = new EventSource("/events");
stream.addEventListener("open", readAll);
stream.addEventListener("message", (event) => take(JSON.parse(event.data)));
addEventListener("hashchange", () => show(decodeURIComponent(location.hash.slice(1)) || null));
document.addEventListener("visibilitychange", () => { markSeen(); drawPeople(); });

// ---- answering ----
async function send(body) {
  const order = { From: open, To: ours().sender, Body: body };
  $("trouble").textContent = "";
  try {
    const headers = { "Content-Type": "application/json" };
    const answer = await fetch("/control/inbound", { method: "POST", headers, body: JSON.stringify(order) });
    const { status } = await answer.json();
    if (!answer.ok || status === 0 || status >= 400) {
      $("trouble").textContent = status ? `The site answered ${status}.` : "The site could not be reached.";
    }
  } catch {
    $("trouble").textContent = "The phone's own server could not be reached.";
  }
}

$("reply").addEventListener("submit", (event) => {
  event.preventDefault();
  const body = $("body").value.trim();
  if (!body) return;
  $("body").value = "";
  send(body);
});
$("reply").querySelectorAll(".quick button").forEach((button) => {
  button.addEventListener("click", () => send(button.value));
});
$("body").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("reply").requestSubmit();
  }
});
