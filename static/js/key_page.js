// The entry of the account page about API keys: a new one is shown once, so it is copied whole.

import { find } from "./dom.js";
import { copyFrom } from "./message_actions.js";

const secret = /** @type {HTMLInputElement | null} */ (document.querySelector(".secret"));

if (secret) {
  const button = find(document, '[data-action="copy"]');
  button.addEventListener("click", () => void copyFrom(button, secret.value));
  secret.addEventListener("focus", () => secret.select());
}
