// Formulas in Markdown: `$$…$$` and `\[…\]` stand alone or in a line, `\(…\)` and `$…$` in a line.

import { escape } from "./escape.js";

// A bound to each: the end of a formula would be looked for through the whole text, from every beginning of one.
const BLOCK = /^ {0,3}(?:\$\$((?:[^$]|\$(?!\$)){1,4000}?)\$\$|\\\[([\s\S]{1,4000}?)\\\])[ \t]*(?:\n+|$)/;
const INLINE = /^(?:\$\$((?:[^$]|\$(?!\$)){1,4000}?)\$\$|\\\[((?:[^\n]|\n(?!\n)){1,4000}?)\\\]|\\\(((?:[^\n]|\n(?!\n)){1,4000}?)\\\))/;
// As Pandoc reads it: no space inside of the marks, and no digit after the second one.
const DOLLARS = /^\$(?![\s$])((?:\\[^\n]|[^$\\\n])*?(?:\\[^\n]|[^$\\\s]))\$(?![\d$\p{L}])/u;

/** @type {import("marked").TokenizerAndRendererExtension} */
export const blockMath = {
  name: "blockMath",
  level: "block",
  start: (source) => startOf(source, /\n {0,3}(?:\$\$|\\\[)/),
  tokenizer: (source) => tokenOf("blockMath", BLOCK.exec(source)),
  renderer: ({ text }) => `<p><code data-math="block">${escape(text)}</code></p>`,
};

/** @type {import("marked").TokenizerAndRendererExtension} */
export const inlineMath = {
  name: "inlineMath",
  level: "inline",
  start: (source) => startOf(source, /(?<![\p{L}\p{N}])\$|\\[([]/u),
  tokenizer(source) {
    const found = INLINE.exec(source);
    if (found) return tokenOf("inlineMath", found, found[3] === undefined);
    const dollars = DOLLARS.exec(source);
    return dollars && !isMoney(dollars[1] ?? "") ? tokenOf("inlineMath", dollars) : undefined;
  },
  renderer: ({ text, display }) => `<code data-math="${display ? "block" : "inline"}">${escape(text)}</code>`,
};

/**
 * "between $5 and US$" is about money, "$5x + 1$" is not.
 * @param {string} text between two dollars
 */
export function isMoney(text) {
  return /^[\d.,]+(?:\s|$|[kKmM]?\b\s*[-–/])/.test(text) && /\s[\p{L}]{2,}|^[\d.,]+$|[-–/]$/u.test(text) && !/[\\^_=]/.test(text);
}

/** @param {string} source @param {RegExp} mark */
function startOf(source, mark) {
  const found = mark.exec(source);
  return found ? found.index : undefined;
}

/** @param {string} type @param {RegExpExecArray | null} found @param {boolean} [display] in the size of one that stands alone */
function tokenOf(type, found, display = false) {
  if (!found) return undefined;
  const text = found.slice(1).find((group) => group !== undefined) ?? "";
  return { type, raw: found[0], text: text.trim(), display };
}
