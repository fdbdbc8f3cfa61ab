// The shown path on the page. Elements stay while their message is shown, so that the reader's
// selection and open details stay as well.

import { AssistantView, PendingView, UserView } from "./message_view.js";

export class MessageList {
  /** @type {Map<string, {element: HTMLElement, update: (value: any) => void}>} */ #views = new Map();
  #element;

  /** @param {HTMLElement} element */
  constructor(element) {
    this.#element = element;
  }

  /** @param {Item[]} items @param {OutboxEntry[]} pending */
  show(items, pending) {
    const views = new Map(this.#views);
    this.#views.clear();
    for (const item of items) this.#place(views, item.message.id, item, viewFor(item.message));
    for (const entry of pending) this.#place(views, entry.command.id, entry, () => new PendingView());
    for (const [key, { element }] of views) if (!this.#views.has(key)) element.remove();
    this.#order();
  }

  /** @param {Item} item one whose answer has grown */
  refresh(item) {
    this.#views.get(item.message.id)?.update(item);
  }

  /**
   * @param {Map<string, {element: HTMLElement, update: (value: any) => void}>} old
   * @param {string} key
   * @param {unknown} value
   * @param {() => {element: HTMLElement, update: (value: any) => void}} make
   */
  #place(old, key, value, make) {
    const view = old.get(key) ?? make();
    view.update(value);
    this.#views.set(key, view);
  }

  /** Moving an element that is in its place already would close its details and drop a selection. */
  #order() {
    let at = this.#element.firstElementChild;
    for (const { element } of this.#views.values()) {
      if (element === at) at = at.nextElementSibling;
      else this.#element.insertBefore(element, at);
    }
  }
}

/** @param {Message} message */
function viewFor(message) {
  return () => (message.role === "user" ? new UserView() : new AssistantView());
}
