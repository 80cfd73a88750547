// Draws one item of a thread, and says numbers and times in words. Holds no state.
// Whatever came from outside enters the page as text or as an attribute, never as markup.

export function make(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

// ---- words ----
const clock = new Intl.DateTimeFormat("en-US", { hour: "numeric", minute: "2-digit" });
const dayName = new Intl.DateTimeFormat("en-US", { weekday: "short", month: "short", day: "numeric" });
const atClock = (at) => clock.format(at * 1000);
export const dayOf = (at) => new Date(at * 1000).toDateString();
export const sayDay = (at) => (dayOf(at) === new Date().toDateString() ? "Today" : dayName.format(at * 1000));
export const sayWhen = (at) => (sayDay(at) === "Today" ? atClock(at) : sayDay(at));

export function sayAddress(address) {
  const parts = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(address);
  return parts ? `(${parts[1]}) ${parts[2]}-${parts[3]}` : address;
}

function sayFate(item) {
  const words = {
    accepted: "◷ Accepted", queued: "◷ Queued", sent: "↗ Sent", delivered: "✓ Delivered",
    undelivered: "✕ Not delivered", failed: "✕ Failed", received: "✓ Sent",
  };
  let word = words[item.status] || item.status;
  if (item.direction === "inbound" && item.error_code) word = "✕ The site did not take it";
  const tail = [];
  if (item.error_code) tail.push(item.direction === "inbound" ? item.error_code : `${item.error_code} ${item.error}`);
  if (item.segments > 1) tail.push(`${item.segments} segments`);
  return [word, tail];
}

function linkify(text) {
  const address = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?)\]']/g;
  const parts = [];
  let end = 0;
  for (const match of text.matchAll(address)) {
    const link = make("a", "", match[0]);
    link.href = match[0];
    link.target = "_blank";
    link.rel = "noopener";
    parts.push(text.slice(end, match.index), link);
    end = match.index + match[0].length;
  }
  return [...parts, text.slice(end)];
}

// ---- one item in the thread ----
export function drawText(item) {
  const own = item.direction === "inbound";
  const lost = item.status === "undelivered" || item.status === "failed";
  const [word, tail] = sayFate(item);
  const tone = lost || (own && item.error_code) ? "failed" : item.status;
  const bubble = make("div", `bubble${own ? " own" : ""}${lost ? " lost" : ""}`, ...linkify(item.body));
  const fate = make("p", `fate ${tone}`, make("b", "", word), " · " + [atClock(item.at), ...tail].join(" · "));
  return [bubble, fate];
}

export function drawMail(item) {
  const hint = make("small", "", "Open");
  const head = make("summary", "", make("strong", "", item.subject || "(no subject)"),
    make("small", "", item.sender), make("small", "", atClock(item.at)), hint);
  const letter = make("details", "letter", head);
  letter.addEventListener("toggle", () => {
    hint.textContent = letter.open ? "Close" : "Open";
    if (letter.open && letter.childElementCount === 1) letter.append(...drawLetter(item));
  });
  return [letter];
}

function drawLetter(item) {
  const plain = make("pre", "", ...linkify(item.text));
  if (!item.html) return [plain];
  const frame = make("iframe");
  frame.title = `Mail: ${item.subject}`;
  frame.setAttribute("sandbox", "allow-same-origin allow-popups allow-popups-to-escape-sandbox");
  frame.src = `/mail/${item.id}.html`;
  frame.addEventListener("load", () => {
    frame.style.height = "0"; // so that the letter's own height is measured, not the frame's
    frame.style.height = `${frame.contentDocument.documentElement.scrollHeight + 2}px`;
  });
  if (!item.text) return [frame];
  return [frame, make("details", "", make("summary", "", make("small", "", "As plain text")), plain)];
}
