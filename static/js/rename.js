// Renaming in place: a field takes the place of a name until it is left.

import { clone } from "./dom.js";

/**
 * @param {HTMLElement} place hidden meanwhile
 * @param {{text: string, label: string, most: number}} field
 * @returns {Promise<string | null>} what was written, null where nothing was changed
 */
export function rename(place, { text, label, most }) {
  const input = /** @type {HTMLInputElement} */ (clone("rename"));
  input.value = text;
  input.maxLength = most;
  input.setAttribute("aria-label", label);
  place.hidden = true;
  place.after(input);
  input.focus();
  input.select();
  return new Promise((resolve) => {
    let open = true;
    const end = (/** @type {string | null} */ written) => {
      if (!open) return;
      open = false;
      place.hidden = false;
      const hadFocus = document.activeElement === input;
      input.remove();
      if (hadFocus) place.focus();
      resolve(written && written !== text ? written : null);
    };
    input.addEventListener("blur", () => end(input.value.trim()));
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.isComposing) return;
      if (event.key === "Enter") end(input.value.trim());
      if (event.key === "Escape") end(null);
    });
  });
}
