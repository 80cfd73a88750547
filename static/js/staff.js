/* What the staff pages do beyond htmx: copy a link, set the focus, notice a session that ended. */
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

/* Somebody known is chosen: what is left to say is when it ended. */
document.querySelector("[data-focus] :checked")?.focus();

/* Undo goes when its seconds are over; whoever stood on it stands on what comes next. */
for (const form of document.querySelectorAll("[data-undo]")) {
  let left = Number(form.dataset.undo);
  const shown = form.querySelector("[data-left]");
  const count = () => {
    shown.textContent = `(${left} s)`;
    if (left-- > 0) return setTimeout(count, 1000);
    if (form.contains(document.activeElement)) document.querySelector("[data-next]").focus();
    form.remove();
  };
  count();
}

/* Whoever has stepped into what was found keeps it: a late answer must not pull it away. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "found" && event.detail.target.contains(document.activeElement)) {
    event.detail.shouldSwap = false;
  }
});

/* A poll that meets the sign-in page has been signed out: show that page, not a piece of it. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL).pathname;
  if (answered !== event.detail.pathInfo.requestPath.split("?")[0]) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
