// The files of a message on the page. Their measures are known, so that nothing shifts when an image
// comes.

import { openDialog } from "./dialog.js";
import { clone, find, setText } from "./dom.js";
import { addressOf, factsText } from "./files.js";
import { gettext, interpolate } from "./gettext.js";

/** Fills the element once for the same files: an image that is there is not loaded again. @param {HTMLElement} element @param {FileBlock[]} files */
export function showFiles(element, files) {
  const shown = files.map((file) => file.file_id).join(" ");
  element.hidden = files.length === 0;
  if (element.dataset.shown === shown) return;
  element.dataset.shown = shown;
  element.toggleAttribute("data-single", files.length === 1);
  element.replaceChildren(...files.map((file) => (file.type === "image" ? imageView(file) : fileView(file))));
}

/** @param {FileBlock} file */
function imageView(file) {
  const view = clone("message-image");
  const image = imageOf(view, file);
  view.setAttribute("aria-label", interpolate(gettext("Show %(name)s large"), { name: file.extras.name }));
  view.addEventListener("click", () => openLarge(file));
  image.addEventListener("error", () => view.replaceWith(goneView(file)));
  return view;
}

/** @param {HTMLElement} view @param {FileBlock} file */
function imageOf(view, { file_id, extras: { name, width, height } }) {
  const image = /** @type {HTMLImageElement} */ (find(view, "img"));
  if (width && height) Object.assign(image, { width, height });
  image.alt = name;
  image.src = addressOf(file_id);
  return image;
}

/** @param {FileBlock} file */
function fileView(file) {
  const view = /** @type {HTMLAnchorElement} */ (clone("message-file"));
  view.href = addressOf(file.file_id);
  view.download = file.extras.name;
  setText(find(view, ".file-name"), file.extras.name);
  setText(find(view, ".file-facts"), factsText(file));
  return view;
}

/** An image that cannot be had is named. @param {FileBlock} file */
function goneView(file) {
  const view = fileView(file);
  setText(find(view, ".file-facts"), gettext("This image cannot be shown."));
  return view;
}

/** @param {FileBlock} file */
function openLarge(file) {
  const dialog = openDialog("image");
  imageOf(dialog, file);
  setText(find(dialog, "h2"), file.extras.name);
  const link = /** @type {HTMLAnchorElement} */ (find(dialog, "a"));
  link.href = addressOf(file.file_id);
  link.download = file.extras.name;
}
