// The only place where model text becomes HTML, and where third-party scripts are used:
// marked reads it, DOMPurify lets through what is on its list, highlight.js colours code.

import DOMPurify from "dompurify";
import highlighter from "highlight";
import { Marked } from "marked";

import { clone, find, setText } from "./dom.js";

/** Longer code is coloured when it is complete: colouring it again for each frame would be quadratic. */
const LIVE_HIGHLIGHT_CHARS = 4_000;

/** Later text may still change this many blocks at the end, as when a list goes on after an empty line. */
const UNSETTLED_BLOCKS = 2;

const MARKUP = {
  ALLOWED_TAGS: [
    "a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "input", "li",
    "ol", "p", "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
  ],
  ALLOWED_ATTR: ["align", "checked", "data-language", "disabled", "href", "start", "title", "type"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  // DOMPurify holds every value against the pattern of addresses, unless it is told otherwise.
  ADD_URI_SAFE_ATTR: ["align", "data-language", "start", "type"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: /** @type {const} */ (true),
};
const COLOURS = { ...MARKUP, ALLOWED_TAGS: ["span"], ALLOWED_ATTR: ["class"] };

const marked = new Marked({
  gfm: true,
  renderer: {
    // Tags that a model writes are text. Images would tell a foreign server who reads this, so
    // they become links.
    html: ({ text }) => escape(text),
    image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
    checkbox: ({ checked }) => `<input type="checkbox" disabled${checked ? " checked" : ""}> `,
    code: ({ text, lang }) =>
      `<pre data-language="${escape(lang?.match(/^\S+/)?.[0] ?? "")}"><code>${escape(text)}</code></pre>`,
  },
});

/**
 * @typedef {object} RenderedBlock
 * @property {string} raw
 * @property {boolean} live
 * @property {HTMLElement} element
 */

/** Shows markdown that grows at its end; only the last blocks are read again. */
export class MarkdownView {
  element = document.createElement("div");
  #text = "";
  #settled = 0;
  #settledBlocks = 0;
  /** @type {RenderedBlock[]} */ #blocks = [];

  constructor() {
    this.element.className = "prose";
  }

  /** @param {string} source @param {boolean} live whether more may follow */
  update(source, live) {
    const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
    if (!live || !text.startsWith(this.#text)) this.#readAllAgain();
    this.#text = text;
    const tail = text.slice(this.#settled);
    const tokens = marked.lexer(tail);
    // A reference such as [1] finds its address anywhere in the text, so at the end all is read again.
    if (Object.keys(tokens.links).length > 0 && !live) this.#clear();
    this.#show(tokens.filter((token) => token.type !== "space" && token.type !== "def"), live);
    if (live) this.#settle(tail, tokens);
  }

  /** @param {MarkdownToken[]} tokens @param {boolean} live */
  #show(tokens, live) {
    tokens.forEach((token, index) => {
      const isLast = live && index === tokens.length - 1;
      this.#showBlock(this.#settledBlocks + index, token, isLast);
    });
    const extra = this.#blocks.splice(this.#settledBlocks + tokens.length);
    for (const { element } of extra) element.remove();
  }

  /** @param {number} index @param {MarkdownToken} token @param {boolean} live */
  #showBlock(index, token, live) {
    const old = this.#blocks[index];
    const isCode = token.type === "code";
    if (old?.raw === token.raw && (!isCode || old.live === live)) return;
    if (old && isCode && growCode(old, token.text, live)) {
      Object.assign(old, { raw: token.raw, live });
      return;
    }
    const element = render(token, live);
    if (old) old.element.replaceWith(element);
    else this.element.append(element);
    this.#blocks[index] = { raw: token.raw, live, element };
  }

  /** @param {string} tail @param {MarkdownToken[]} tokens */
  #settle(tail, tokens) {
    const shown = tokens.filter((token) => token.type !== "space" && token.type !== "def");
    const last = shown.at(-UNSETTLED_BLOCKS);
    if (!last || shown.length <= UNSETTLED_BLOCKS) return;
    const before = tokens.slice(0, tokens.indexOf(last)).map((token) => token.raw).join("");
    // The lexer may mend what it read; then its lengths are not those of the text.
    if (!tail.startsWith(before)) return;
    this.#settled += before.length;
    this.#settledBlocks += shown.length - UNSETTLED_BLOCKS;
  }

  #readAllAgain() {
    this.#settled = 0;
    this.#settledBlocks = 0;
  }

  #clear() {
    this.#blocks = [];
    this.element.replaceChildren();
  }
}

/** @param {MarkdownToken} token @param {boolean} live @returns {HTMLElement} */
function render(token, live) {
  const block = document.createElement("div");
  block.className = "block";
  block.append(DOMPurify.sanitize(/** @type {string} */ (marked.parser([token])), MARKUP));
  for (const link of block.querySelectorAll("a")) guard(link);
  for (const table of block.querySelectorAll("table")) wrapTable(table);
  for (const pre of block.querySelectorAll("pre")) pre.replaceWith(codeFigure(pre, live));
  return block;
}

/** @param {HTMLAnchorElement} link */
function guard(link) {
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
}

/** @param {HTMLTableElement} table */
function wrapTable(table) {
  const scroller = document.createElement("div");
  scroller.className = "table-scroll";
  scroller.tabIndex = 0;
  table.replaceWith(scroller);
  scroller.append(table);
}

/** @param {HTMLPreElement} pre @param {boolean} live */
function codeFigure(pre, live) {
  const figure = clone("code");
  const language = pre.dataset.language ?? "";
  const text = pre.textContent ?? "";
  const code = find(figure, "code");
  setText(find(figure, ".code-language"), language || "text");
  if (canColour(text, language, live)) code.append(coloured(text, language));
  else code.textContent = text;
  return figure;
}

/**
 * Appends to code that is too long to colour while it grows.
 * @param {RenderedBlock} block
 * @param {string} text
 * @param {boolean} live
 * @returns {boolean} false when it must be rendered anew
 */
function growCode(block, text, live) {
  const code = block.element.querySelector(":scope > .code code");
  const shown = code?.textContent ?? "";
  if (!live || !code || text.length <= LIVE_HIGHLIGHT_CHARS || !text.startsWith(shown)) return false;
  code.append(text.slice(shown.length));
  return true;
}

/** @param {string} text @param {string} language @param {boolean} live */
function canColour(text, language, live) {
  if (live && text.length > LIVE_HIGHLIGHT_CHARS) return false;
  return language !== "" && highlighter.getLanguage(language) !== undefined;
}

/** @param {string} text @param {string} language */
function coloured(text, language) {
  return DOMPurify.sanitize(highlighter.highlight(text, { language, ignoreIllegals: true }).value, COLOURS);
}

/** @param {string} text */
function escape(text) {
  const marks = /** @type {Record<string, string>} */ ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" });
  return text.replace(/[&<>"']/g, (mark) => marks[mark] ?? mark);
}
