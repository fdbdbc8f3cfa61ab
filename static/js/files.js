// Files in words: what a file is, how large, and why it cannot be taken. No DOM.

import { gettext, interpolate, locale } from "./gettext.js";

const MEGABYTE = 1_000_000;
// The server looks into the file; this only spares an upload that it would refuse.
const NEVER = /\.(zip|gz|7z|rar|exe|dmg|iso|docx?|xlsx?|pptx?|odt|ods|mp3|mp4|mov|avi|wav|heic|tiff?|bmp|ico)$/i;
const TAKEN_IMAGES = /^image\/(png|jpeg|webp|gif|svg\+xml)$/;

/** @param {Block[]} content @returns {FileBlock[]} */
export function filesIn(content) {
  return content.filter(isFile);
}

/** @param {Block} block @returns {block is FileBlock} */
export function isFile(block) {
  return (block.type === "image" || block.type === "file") && typeof block.file_id === "string";
}

/** @param {string} id */
export function addressOf(id) {
  return `/attachments/${id}/`;
}

/** @param {AttachmentData} data @returns {FileBlock} as the message will hold it */
export function blockOf({ id, name, kind, media_type, size, pages, width, height }) {
  const extras = { name, size, ...(pages !== null && { pages }), ...(width !== null && height !== null && { width, height }) };
  return { type: kind === "image" ? "image" : "file", file_id: id, mime_type: media_type, extras };
}

/**
 * @param {{name: string, size: number, type: string}} file
 * @param {{file_mb: number}} limits
 * @returns {string} a sentence; empty where nothing speaks against it
 */
export function refusalOf({ name, size, type }, { file_mb }) {
  if (size === 0) return gettext("The file is empty.");
  if (size > file_mb * MEGABYTE) {
    return interpolate(gettext("The file is too large: at most %(most)s MB are taken."), { most: file_mb });
  }
  const strange = /^(audio|video)\//.test(type) || (type.startsWith("image/") && !TAKEN_IMAGES.test(type));
  return strange || NEVER.test(name) ? gettext("Files of this kind cannot be read. Attach an image, a PDF or text.") : "";
}

/** @param {number} bytes such as `1.2 MB` */
export function sizeText(bytes) {
  const [unit, divisor] = bytes < 1000 ? ["byte", 1] : bytes < MEGABYTE ? ["kilobyte", 1000] : ["megabyte", MEGABYTE];
  const options = /** @type {Intl.NumberFormatOptions} */ ({
    style: "unit", unit, unitDisplay: unit === "byte" ? "long" : "short", maximumFractionDigits: unit === "megabyte" ? 1 : 0,
  });
  return new Intl.NumberFormat(locale(), options).format(bytes / Number(divisor));
}

/** @param {FileBlock} block such as `12 pages · 1.2 MB` */
export function factsText({ extras: { pages, size } }) {
  return [pages === undefined ? "" : pagesText(pages), size === undefined ? "" : sizeText(size)].filter(Boolean).join(" · ");
}

/** @param {number} pages */
function pagesText(pages) {
  return interpolate(pages === 1 ? gettext("1 page") : gettext("%(count)s pages"), { count: pages });
}
