// Dialogs: the platform's own `<dialog>`, from a template, taken away again when it closes.

import { byId, clone, find, setText } from "./dom.js";

/**
 * Shows the dialog of a template; a click beside it and Escape close it.
 * @param {string} name of the template, whose element is a `<dialog>`
 * @returns {HTMLDialogElement}
 */
export function openDialog(name) {
  const dialog = /** @type {HTMLDialogElement} */ (clone(name));
  byId("dialogs").append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  // The second one of a double click is not meant for what the first one has opened.
  dialog.addEventListener("mousedown", (event) => { if (event.detail === 1 && isBeside(dialog, event)) dialog.close(); });
  dialog.addEventListener("click", (event) => {
    if (/** @type {Element} */ (event.target).closest('[data-action="close"]')) dialog.close();
  });
  // An open menu gives the focus back to its button; from there it comes, and there it returns.
  /** @type {HTMLElement | null} */ (document.querySelector(":popover-open"))?.hidePopover();
  dialog.showModal();
  return dialog;
}

/** @param {HTMLElement} dialog @param {MouseEvent} event */
function isBeside(dialog, { target, clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

/**
 * Asks before something that cannot be taken back.
 * @param {{title: string, text: string, yes: string, danger?: boolean}} question
 * @returns {Promise<boolean>}
 */
export function confirm({ title, text, yes, danger = false }) {
  const dialog = openDialog("confirm");
  setText(find(dialog, "h2"), title);
  setText(find(dialog, ".dialog-text"), text);
  const button = find(dialog, '[data-action="yes"]');
  setText(button, yes);
  button.classList.toggle("button-danger", danger);
  button.addEventListener("click", () => dialog.close("yes"));
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"));
  });
}
