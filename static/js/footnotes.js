// The footnotes of one text: numbered in the order in which they are mentioned, listed at its end.

import { clone, find } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { morph } from "./morph.js";
import { renderAll } from "./render.js";

export class Footnotes {
  element = clone("footnotes");
  #root;
  #list = find(this.element, "ol");
  /** @type {Map<string, number>} */ #numbers = new Map();
  /** @type {Map<string, {raw: string, item: HTMLLIElement}>} */ #notes = new Map();

  /** @param {HTMLElement} root of the text; the notes come last in it */
  constructor(root) {
    this.#root = root;
    root.addEventListener("click", (event) => {
      const button = /** @type {Element} */ (event.target).closest("button.footnote");
      if (button) this.#go(button.parentElement?.dataset.note ?? "");
    });
  }

  clear() {
    this.#numbers.clear();
    this.#notes.clear();
    this.#list.replaceChildren();
    this.element.remove();
  }

  /** Turns the marks of footnotes into buttons. @param {ParentNode} fragment */
  number(fragment) {
    for (const mark of /** @type {NodeListOf<HTMLElement>} */ (fragment.querySelectorAll("sup[data-note]"))) {
      mark.replaceChildren(this.#button(mark.dataset.note ?? ""));
    }
  }

  /** @param {{raw: string, id: string, tokens: MarkdownToken[]}} note @param {boolean} live */
  add(note, live) {
    const known = this.#notes.get(note.id);
    if (known?.raw === note.raw) return;
    const item = known?.item ?? document.createElement("li");
    item.value = this.#numberOf(note.id);
    item.dir = "auto";
    const content = renderAll(note.tokens);
    this.number(content);
    morph(item, content, { live });
    this.#notes.set(note.id, { raw: note.raw, item });
    if (!known) this.#place(item);
    if (!this.element.parentNode) this.#root.append(this.element);
  }

  /** Marks without a note are what they were: text. @param {ParentNode} root */
  settle(root) {
    for (const mark of /** @type {NodeListOf<HTMLElement>} */ (root.querySelectorAll("sup[data-note]"))) {
      const id = mark.dataset.note ?? "";
      if (!this.#notes.has(id)) mark.replaceWith(`[^${id}]`);
    }
  }

  /** @param {string} id */
  #numberOf(id) {
    const number = this.#numbers.get(id) ?? this.#numbers.size + 1;
    this.#numbers.set(id, number);
    return number;
  }

  /** @param {HTMLLIElement} item */
  #place(item) {
    const after = [...this.#list.children].find((other) => /** @type {HTMLLIElement} */ (other).value > item.value);
    this.#list.insertBefore(item, after ?? null);
  }

  /** A button and no link: an id from a text could be another text's too. @param {string} id */
  #button(id) {
    const number = this.#numberOf(id);
    const button = document.createElement("button");
    button.type = "button";
    button.className = "footnote";
    button.textContent = String(number);
    button.setAttribute("aria-label", interpolate(gettext("Footnote %(number)s"), { number }));
    return button;
  }

  /** @param {string} id */
  #go(id) {
    const note = this.#notes.get(id);
    if (!note) return;
    note.item.tabIndex = -1;
    note.item.focus({ preventScroll: true });
    note.item.scrollIntoView({ block: "nearest" });
  }
}
