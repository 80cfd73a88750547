/* What the staff pages do beyond htmx: copy a link, and notice a session that has ended. */
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

/* A poll that meets the sign-in page has been signed out: show that page, not a piece of it. */
document.addEventListener("htmx:beforeSwap", (event) => {
  const answered = new URL(event.detail.xhr.responseURL).pathname;
  if (answered !== event.detail.pathInfo.requestPath.split("?")[0]) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});
