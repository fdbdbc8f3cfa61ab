// A short note at the bottom of the page, with at most one thing to do about it.

import { byId, clone, find, setText } from "./dom.js";

const SHOWN_MS = 7_000;

/**
 * @param {string} text
 * @param {{label: string, act: () => void}} [action] such as Undo
 */
export function toast(text, action) {
  const element = clone("toast");
  const button = /** @type {HTMLButtonElement} */ (find(element, "button"));
  setText(find(element, ".toast-text"), text);
  button.hidden = !action;
  setText(button, action?.label ?? "");
  const box = byId("toasts");
  box.replaceChildren(element);
  const close = () => element.remove();
  button.addEventListener("click", () => { close(); action?.act(); });
  hideLater(element, close);
}

/** Whoever points at it or has the focus in it is still reading. @param {HTMLElement} element @param {() => void} close */
function hideLater(element, close) {
  let timer = setTimeout(close, SHOWN_MS);
  const wait = () => clearTimeout(timer);
  const go = () => { clearTimeout(timer); timer = setTimeout(close, SHOWN_MS); };
  element.addEventListener("pointerenter", wait);
  element.addEventListener("pointerleave", go);
  element.addEventListener("focusin", wait);
  element.addEventListener("focusout", go);
}
