// Coloured code as runs of text: what highlight.js gives as HTML, line by line and without any markup,
// so that the page makes its elements of it by itself.

/** @typedef {[text: string, className: string]} Run */

/** @type {Record<string, string>} */
const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&#39;": "'" };

/**
 * @param {string} html spans with a class, and escaped text
 * @returns {Run[][]} a list for each line; the line's end is not in it
 */
export function linesOf(html) {
  /** @type {Run[][]} */ const lines = [[]];
  /** @type {string[]} */ const open = [""];
  for (const [piece] of html.matchAll(/<span class="[^"]*">|<\/span>|[^<]+/g)) {
    if (piece === "</span>") open.pop();
    else if (piece.startsWith("<")) open.push(/"([\w-]*)/.exec(piece)?.[1] ?? "");
    else addText(lines, unescape(piece), open.at(-1) ?? "");
  }
  return lines;
}

/** @param {Run[][]} lines @param {string} text @param {string} className */
function addText(lines, text, className) {
  text.split("\n").forEach((part, index) => {
    if (index > 0) lines.push([]);
    if (part !== "") lines.at(-1)?.push([part, className]);
  });
}

/** @param {string} text */
function unescape(text) {
  return text.replace(/&(?:amp|lt|gt|quot|#x27|#39);/g, (entity) => ENTITIES[entity] ?? entity);
}

/**
 * @param {string[]} before a text for each line
 * @param {string[]} now
 * @returns {number} the first line that is not the same
 */
export function firstChange(before, now) {
  let line = 0;
  while (line < before.length && line < now.length && before[line] === now[line]) line += 1;
  return line;
}
