// A long list or table that is being written at the end of a text: its first items are settled, and
// only its last ones are read again.

import { morph } from "./morph.js";

/** Reading a few again costs less than settling each of them alone. */
const MANY = 24;
const UNSETTLED = 2;

/** @param {MarkdownToken | undefined} token */
export function isLong(token) {
  if (token?.type === "list") return token.items.length >= MANY + UNSETTLED;
  return token?.type === "table" && token.rows.length >= MANY + UNSETTLED;
}

export class Part {
  /** What must stand before the rest, so that it is read as a part of the same: a table's header. */
  prefix = "";
  #kept = 0;

  get isOpen() {
    return this.#kept > 0;
  }

  close() {
    this.prefix = "";
    this.#kept = 0;
  }

  /**
   * @param {Element} block with all of it
   * @param {DocumentFragment} content with the rest of it
   * @param {boolean} live
   */
  grow(block, content, live) {
    const rows = rowsOf(content);
    const shown = rowsOf(block);
    if (!shown) return;
    // Where nothing is left of the rest, as when its only row is held back, the kept ones stay.
    morph(shown, rows ?? document.createDocumentFragment(), { live, from: this.#kept });
  }

  /**
   * @param {string} end of the text, after the prefix
   * @param {MarkdownToken} token
   * @returns {number} how much more of the text is settled now
   */
  settle(end, token) {
    const source = token.type === "list" ? itemsOf(/** @type {any} */ (token)) : linesOf(token.raw);
    const count = (token.type === "list" ? source.length : source.length - 2) - UNSETTLED;
    if (count < MANY) return 0;
    const before = source.slice(0, source.length - UNSETTLED).join("");
    if (!end.startsWith(before)) return 0;
    const length = before.length - this.prefix.length;
    if (token.type === "table") this.prefix = source.slice(0, 2).join("");
    this.#kept += count;
    return length;
  }
}

/** @param {ParentNode} root @returns {Element | null} whose children are the items or the rows */
function rowsOf(root) {
  const list = root.firstElementChild;
  return list?.matches("ul, ol") ? list : root.querySelector("table > tbody");
}

/** @param {{items: {raw: string}[]}} list @returns {string[]} */
function itemsOf({ items }) {
  return items.map(({ raw }) => raw);
}

/** @param {string} raw */
function linesOf(raw) {
  return raw.replace(/\n+$/, "").split("\n").map((line) => `${line}\n`);
}
