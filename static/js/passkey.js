/* Passkeys: a form that asks the browser for one, and sends what it answers. The library beside
   this file translates between JSON and what browsers speak. */
"use strict";

const WHY = {
  NotAllowedError: "It was cancelled, or took too long. Try once more.",
  InvalidStateError: "This device has a passkey for you already.",
  SecurityError: "Passkeys need the site’s own https address.",
  NotSupportedError: "This device cannot make such a passkey. Use an app with codes.",
};

/* What the server asks for: written into the page, or asked for when it is wanted. */
async function options(form) {
  const written = document.getElementById("passkey-options");
  if (!form.dataset.ask) return JSON.parse(written.textContent);
  const answer = await fetch(form.dataset.ask, {
    headers: { Accept: "application/json", "X-Requested-With": "XMLHttpRequest" },
  });
  if (!answer.ok) throw new Error("The server did not answer.");
  return answer.json();
}

async function credential(form) {
  const asked = await options(form);
  if (form.dataset.passkey === "get") return webauthnJSON.get(asked.request_options);
  const wanted = asked.creation_options;
  /* Kept on the device under our name, so that it can sign in without a password. */
  Object.assign(wanted.publicKey.authenticatorSelection, {
    residentKey: "required",
    requireResidentKey: true,
    userVerification: "required",
  });
  return webauthnJSON.create(wanted);
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  const button = form.querySelector("button");
  const why = form.querySelector(".note[hidden]");
  if (!webauthnJSON.supported()) {
    why.textContent = "This browser knows no passkeys.";
    if (form.dataset.passkey === "create") why.hidden = false;
    else form.hidden = true;
    continue;
  }
  button.disabled = false; /* until now the form would have gone without a passkey */
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    why.hidden = true;
    button.disabled = true;
    try {
      form.elements.credential.value = JSON.stringify(await credential(form));
      form.submit();
    } catch (error) {
      why.textContent = WHY[error.name] ?? "That did not work. Try once more.";
      why.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}
