// Markdown that grows at its end. Only the end is read again: what cannot change any more is settled,
// and never touched. So the cost of a new word depends neither on the length of the text nor on that
// of a long list, table or piece of code at its end.

import { CodeView } from "./code_view.js";
import { Fence } from "./fence.js";
import { Footnotes } from "./footnotes.js";
import { lex } from "./grammar.js";
import { morph } from "./morph.js";
import { Part, isLong } from "./part.js";
import { render } from "./render.js";
import { complete } from "./unfinished.js";
import { widgetOf } from "./widgets.js";

/** Later text may still change this many blocks at the end, as when a list goes on after an empty line. */
const UNSETTLED_BLOCKS = 2;

/**
 * @typedef {object} RenderedBlock
 * @property {string} raw
 * @property {boolean} live
 * @property {HTMLElement} element
 */

export class MarkdownView {
  element = document.createElement("div");
  #text = "";
  #settled = 0;
  #settledBlocks = 0;
  /** @type {RenderedBlock[]} */ #blocks = [];
  /** @type {Fence | null} code that is being written */ #fence = null;
  /** What is settled of a list or table at the end. */ #part = new Part();
  /** @type {import("./grammar.js").Links} */ #links = {};
  #notes = new Footnotes(this.element);

  constructor() {
    this.element.className = "prose";
  }

  /** @param {string} source @param {boolean} live whether more may follow */
  update(source, live) {
    const text = source.includes("\r") ? source.replace(/\r\n?/g, "\n") : source;
    if (!text.startsWith(this.#text)) this.#restart();
    this.#text = text;
    if (this.#isInFence(live)) return;
    this.#readEnd(live);
    if (!live) this.#notes.settle(this.element);
  }

  /** Code goes straight to its view, unread. @param {boolean} live */
  #isInFence(live) {
    const fence = this.#fence;
    if (!fence) return false;
    const end = fence.grow(this.#text, live);
    if (end === null) return live;
    this.#fence = null;
    this.#settled = end;
    this.#settledBlocks = this.#blocks.length;
    return false;
  }

  /** @param {boolean} live */
  #readEnd(live) {
    const end = this.#part.prefix + this.#text.slice(this.#settled);
    const tokens = lex(end, this.#links);
    // The address of a definition that comes last may not be whole.
    if (!live || tokens.at(-1)?.type !== "def") this.#links = { ...this.#links, ...tokens.links };
    // A reference such as [text][1] finds its address anywhere in the text, also behind it.
    const isReferred = Object.keys(this.#links).length > 0;
    if (!live && isReferred && this.#settled > 0) return this.#readWhole();
    this.#show(live ? completed(tokens, this.#links) : tokens, live);
    if (live) this.#settle(end, tokens);
    return undefined;
  }

  /** Blocks that are as they were stay untouched. */
  #readWhole() {
    this.#readAllAgain();
    this.#blocks = this.#blocks.map((block) => ({ ...block, raw: isSuspect(block.raw) ? "" : block.raw }));
    this.#show(lex(this.#text, this.#links), false);
  }

  /** @param {MarkdownToken[]} tokens @param {boolean} live */
  #show(tokens, live) {
    const blocks = tokens.filter(isBlock);
    blocks.forEach((token, index) => this.#showBlock(this.#settledBlocks + index, token, live && index === blocks.length - 1));
    for (const { element } of this.#blocks.splice(this.#settledBlocks + blocks.length)) element.remove();
    for (const token of tokens) if (token.type === "footnote") this.#notes.add(/** @type {any} */ (token), live);
  }

  /** @param {number} index @param {MarkdownToken} token @param {boolean} live */
  #showBlock(index, token, live) {
    const known = this.#blocks[index];
    if (known?.raw === token.raw && known.live === live) return;
    const block = known ?? this.#addBlock();
    const content = render(token);
    this.#notes.number(content);
    if (index === this.#settledBlocks && this.#part.isOpen) this.#part.grow(block.element, content, live);
    else morph(block.element, content, { live });
    block.element.classList.toggle("heading", token.type === "heading");
    this.#blocks[index] = Object.assign(block, { raw: token.raw, live });
  }

  /** @returns {RenderedBlock} */
  #addBlock() {
    const element = document.createElement("div");
    element.className = "block";
    // Each finds its own: an answer in Arabic may begin with an English word, or with a tool.
    element.dir = "auto";
    this.element.insertBefore(element, this.#notes.element.parentNode ? this.#notes.element : null);
    return { raw: "", live: false, element };
  }

  /** @param {string} end of the text @param {MarkdownToken[]} tokens */
  #settle(end, tokens) {
    const shown = tokens.filter(isBlock);
    const last = tokens.at(-1);
    if (last && last === shown.at(-1)) this.#enterFence(end, last);
    if (this.#fence) return;
    const keep = isLong(last) ? last : shown.at(-UNSETTLED_BLOCKS);
    if (keep && shown[0] !== keep) this.#settleBefore(end, tokens, keep);
    else if (last && isLong(last)) this.#settled += this.#part.settle(end, last);
  }

  /** @param {string} end @param {MarkdownToken[]} tokens @param {MarkdownToken} keep */
  #settleBefore(end, tokens, keep) {
    const done = tokens.slice(0, tokens.indexOf(keep));
    const before = done.map((token) => token.raw).join("");
    // The lexer may mend what it read; then its lengths are not those of the text.
    if (!end.startsWith(before)) return;
    this.#settled += before.length - this.#part.prefix.length;
    this.#settledBlocks += done.filter(isBlock).length;
    this.#part.close();
  }

  /** @param {string} end @param {MarkdownToken} last */
  #enterFence(end, last) {
    if (last.type !== "code" || !end.endsWith(last.raw)) return;
    const view = widgetOf(/** @type {Element} */ (this.#blocks.at(-1)?.element.firstElementChild));
    const start = this.#text.length - last.raw.length;
    if (view instanceof CodeView) this.#fence = Fence.open(last.raw, start, view);
  }

  /** Another text takes the place of this one. */
  #restart() {
    this.#readAllAgain();
    this.#links = {};
    this.#notes.clear();
  }

  #readAllAgain() {
    this.#settled = 0;
    this.#settledBlocks = 0;
    this.#fence = null;
    this.#part.close();
  }
}

/** The tokens with the last one as it will most likely be. @param {MarkdownToken[]} tokens @param {import("./grammar.js").Links} links */
function completed(tokens, links) {
  const last = tokens.at(-1);
  if (!last || last.type === "code" || last.type === "space") return tokens;
  const raw = complete(last.raw);
  return raw === last.raw ? tokens : [...tokens.slice(0, -1), ...lex(raw, links)];
}

/** @param {MarkdownToken} token */
function isBlock(token) {
  return token.type !== "space" && token.type !== "def" && token.type !== "footnote";
}

/** Whether it may hold a reference that had no address when it was read. @param {string} raw */
function isSuspect(raw) {
  return /\[[^[\]\n]+\](?!\()/.test(raw) && !/^ {0,3}(?:```|~~~)/.test(raw);
}
