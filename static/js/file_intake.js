// The ways in which files come to the page: chosen, pasted, dropped anywhere on it.

import { byId, find } from "./dom.js";

/** @param {HTMLFormElement} form @param {(files: File[]) => void} take */
export function listenForFiles(form, take) {
  const input = /** @type {HTMLInputElement} */ (find(form, 'input[type="file"]'));
  find(form, ".attach").addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    take([...(input.files ?? [])]);
    // The same file may be chosen again.
    input.value = "";
  });
  find(form, "textarea").addEventListener("paste", (event) => pasted(event, take));
  listenForDrops(byId("dropzone"), take);
}

/** @param {ClipboardEvent} event @param {(files: File[]) => void} take */
function pasted(event, take) {
  const data = event.clipboardData;
  // A text editor or a table gives a picture of the text as well; the text is what is meant.
  if (!data || data.files.length === 0 || data.types.includes("text/plain")) return;
  event.preventDefault();
  take([...data.files]);
}

/** @param {HTMLElement} zone @param {(files: File[]) => void} take */
function listenForDrops(zone, take) {
  const hide = () => { zone.hidden = true; };
  document.addEventListener("dragover", (event) => {
    if (!hasFiles(event) || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
    zone.hidden = false;
  });
  document.addEventListener("dragleave", (event) => { if (event.relatedTarget === null) hide(); });
  document.addEventListener("dragend", hide);
  document.addEventListener("drop", (event) => {
    hide();
    if (!hasFiles(event)) return;
    // Otherwise the browser would leave the page for the file.
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) take([...(event.dataTransfer?.files ?? [])]);
  });
}

/** @param {DragEvent} event */
function hasFiles({ dataTransfer }) {
  return dataTransfer?.types.includes("Files") ?? false;
}
