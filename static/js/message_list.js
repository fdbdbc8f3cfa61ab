// The shown path on the page. Elements stay while their message is shown, so that the reader's
// selection and open details stay as well. A long part is drawn over several frames, those messages
// first that the reader sees.

import { AssistantView, PendingView, UserView } from "./message_view.js";

const FRAME_MS = 8;

/**
 * @typedef {{element: HTMLElement, update: (value: any) => void}} View
 * @typedef {{key: string, value: any, make: () => View}} Row
 */

export class MessageList {
  /** @type {Map<string, {view: View, value: unknown}>} */ #shown = new Map();
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {Item[]} items
   * @param {OutboxEntry[]} pending
   * @param {string | null} [start] the message at which a list begins to be drawn, null for the end
   * @returns {boolean} whether all is drawn; if not, it wants to be called again in the next frame
   */
  show(items, pending, start = null) {
    const rows = [...items.map(rowOfItem), ...pending.map(rowOfPending)];
    this.#removeAllBut(new Set(rows.map((row) => row.key)));
    const done = this.#fill(rows, start);
    this.#order(rows);
    return done;
  }

  /** @param {Item} item one whose answer has grown */
  refresh(item) {
    const shown = this.#shown.get(item.message.id);
    if (!shown) return;
    shown.value = item;
    shown.view.update(item);
  }

  /** Draws every message again at the next `show`, whether or not something is new to it. */
  expire() {
    for (const shown of this.#shown.values()) shown.value = null;
  }

  /** @param {string} key of a message @returns {HTMLElement | undefined} */
  elementOf(key) {
    return this.#shown.get(key)?.view.element;
  }

  /** @param {Set<string>} keys */
  #removeAllBut(keys) {
    for (const [key, { view }] of this.#shown) {
      if (keys.has(key)) continue;
      view.element.remove();
      this.#shown.delete(key);
    }
  }

  /** @param {Row[]} rows @param {string | null} start */
  #fill(rows, start) {
    const until = performance.now() + FRAME_MS;
    for (const row of this.#inOrderOfNeed(rows, start)) {
      if (performance.now() > until) return false;
      this.#draw(row);
    }
    return true;
  }

  /**
   * What comes below the part that is drawn, this part itself, and then what comes above: so there
   * is never a hole between two messages.
   * @param {Row[]} rows
   * @param {string | null} start
   */
  #inOrderOfNeed(rows, start) {
    let first = rows.findIndex((row) => this.#shown.has(row.key));
    let end = rows.findLastIndex((row) => this.#shown.has(row.key)) + 1;
    if (first < 0) {
      const at = rows.findIndex((row) => row.key === start);
      first = end = at < 0 ? Math.max(0, rows.length - 1) : at;
    }
    return [...rows.slice(end), ...rows.slice(first, end).reverse(), ...rows.slice(0, first).reverse()];
  }

  /** @param {Row} row */
  #draw({ key, value, make }) {
    const shown = this.#shown.get(key);
    if (shown && isSame(shown.value, value)) return;
    const view = shown?.view ?? make();
    view.update(value);
    this.#shown.set(key, { view, value });
  }

  /**
   * Moving an element that is in its place already would close its details and drop a selection.
   * @param {Row[]} rows
   */
  #order(rows) {
    let at = this.#element.firstElementChild;
    for (const { key } of rows) {
      const element = this.elementOf(key);
      if (!element) continue;
      if (element === at) at = at.nextElementSibling;
      else this.#element.insertBefore(element, at);
    }
  }
}

/** @param {Item} item @returns {Row} */
function rowOfItem(item) {
  const make = () => (item.message.role === "user" ? new UserView() : new AssistantView());
  return { key: item.message.id, value: item, make };
}

/** @param {OutboxEntry} entry @returns {Row} a copy, for the entry itself is changed in its place */
function rowOfPending(entry) {
  return { key: entry.command.id, value: { ...entry }, make: () => new PendingView() };
}

/** @param {any} one @param {any} other */
function isSame(one, other) {
  if (one === null) return false;
  return Object.keys(other).every((key) =>
    (key === "siblings" ? isSameFork(one[key], other[key]) : Object.is(one[key], other[key])));
}

/** @param {Item["siblings"]} one @param {Item["siblings"]} other */
function isSameFork(one, other) {
  return one.index === other.index && one.ids === other.ids;
}
