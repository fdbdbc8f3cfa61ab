// What the buttons of a message do. A feature adds its own with `page.addActions`.

import { copyText } from "./clipboard.js";
import { toggleWrap } from "./code_view.js";
import { find } from "./dom.js";
import { plainText } from "./message_view.js";

/**
 * @typedef {object} Clicked
 * @property {HTMLButtonElement} button
 * @property {string} message the id of its message, empty for one that is on its way
 * @property {string} pending the id of the command of a message that is on its way
 * @typedef {(clicked: Clicked) => void} MessageAction
 */

/** @param {import("./chat_page.js").ChatPage} page @returns {Record<string, MessageAction>} */
export function messageActions(page) {
  return {
    copy: ({ button, message }) => void copyFrom(button, plainText(page.contentOf(message))),
    "copy-code": ({ button }) => void copyFrom(button, codeOf(button)),
    wrap: ({ button }) => toggleWrap(/** @type {HTMLElement} */ (button.closest(".code"))),
    edit: ({ message }) => page.edit(message),
    retry: ({ message }) => page.retry(message),
    continue: ({ message }) => page.goOn(message),
    stop: () => page.stop(),
    withdraw: ({ pending }) => page.withdraw(pending),
    previous: ({ button }) => page.turnTo(button.dataset.target ?? ""),
    next: ({ button }) => page.turnTo(button.dataset.target ?? ""),
  };
}

/** @param {HTMLElement} element @param {Record<string, MessageAction>} actions may grow later */
export function listenForActions(element, actions) {
  element.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLButtonElement | null} */ (target.closest("button[data-action]"));
    const owner = /** @type {HTMLElement | null} */ (button?.closest("[data-message], [data-pending]"));
    if (!button || !owner) return;
    const { message = "", pending = "" } = owner.dataset;
    actions[button.dataset.action ?? ""]?.({ button, message, pending });
  });
}

/** @param {HTMLElement} button */
function codeOf(button) {
  return find(/** @type {Element} */ (button.closest(".code")), "code").textContent ?? "";
}

/** @param {HTMLElement} button shows for a moment that it worked @param {string} text */
export async function copyFrom(button, text) {
  if (!(await copyText(text))) return;
  button.setAttribute("data-done", "");
  setTimeout(() => button.removeAttribute("data-done"), 1_500);
}
