// The messages that wait, above the composer: what comes next, and what to do about it.

import { byId, clone, find, setText } from "./dom.js";
import { gettext } from "./gettext.js";
import { queueOf } from "./keep.js";
import { isAnswered, Queue } from "./queue.js";
import { uuid } from "./uuid.js";

export class QueueView {
  #element = byId("queue");
  #page;
  #queue;

  /** @param {import("./chat_page.js").ChatPage} page @param {PageData} data */
  constructor(page, data) {
    this.#page = page;
    this.#queue = new Queue(queueOf(data.user.id));
    page.takeNext = (message) => this.#add(message);
    page.whenOpened((conversation) => this.#queue.adopt(conversation));
    page.whenDrawn(() => this.#drawn());
    this.#element.addEventListener("click", (event) => this.#clicked(event));
    this.#drawn();
  }

  /** @param {NextMessage} message */
  #add(message) {
    const { client, thread } = this.#page;
    const after = thread.path.at(-1)?.parent ?? null;
    this.#queue.add({ id: uuid(), conversation: client.open, after, hurry: false, message });
    this.#page.redraw();
  }

  #drawn() {
    const next = this.#queue.due(this.#page.client.open, this.#rest);
    // Its id is the message's own: were it ever sent twice, it would be taken once.
    if (next) queueMicrotask(() => this.#page.send({ ...next.message, client_message_id: next.id }));
    this.#show();
  }

  #show() {
    const items = this.#queue.of(this.#page.client.open);
    const { isBusy } = this.#rest;
    const first = items[0];
    const waits = first !== undefined && !isBusy && !isAnswered(first, this.#rest);
    this.#element.hidden = items.length === 0;
    this.#element.toggleAttribute("data-waits", waits);
    const key = JSON.stringify([items, waits]);
    // Drawn anew only when it has changed, or the focus would go while an answer arrives.
    if (this.#element.dataset.shown === key) return;
    this.#element.dataset.shown = key;
    this.#element.replaceChildren(...items.map((item, at) => this.#row(item, at === 0 && waits)));
  }

  /** @param {QueuedMessage} item @param {boolean} waits */
  #row({ id, message }, waits) {
    const row = clone("queued-message");
    row.dataset.queued = id;
    setText(find(row, ".queued-label"), waits ? gettext("Not sent yet:") : gettext("Next:"));
    const files = this.#page.client.files.blocks(message.attachments);
    setText(find(row, ".queued-text"), message.text || files.map((file) => file.extras.name).join(", "));
    return row;
  }

  /** @returns {import("./queue.js").Rest} */
  get #rest() {
    const { client, thread } = this.#page;
    const { open } = client;
    const isRunning = open !== null && client.store.running(open).length > 0;
    return {
      isBusy: this.#page.isBusy || isRunning,
      status: thread.last?.status ?? null,
      path: thread.path.map(({ id }) => id),
    };
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-action]"));
    const id = /** @type {HTMLElement | null} */ (button?.closest("[data-queued]"))?.dataset.queued ?? "";
    switch (button?.dataset.action) {
      case "send-now": this.#sendNow(id); break;
      case "edit-next": this.#edit(id); break;
      case "remove-next": this.#queue.take(id); break;
      default: return;
    }
    this.#page.redraw();
    this.#page.composer.focus();
  }

  /** @param {string} id */
  #sendNow(id) {
    this.#queue.hurry(id);
    this.#page.stop();
  }

  /** @param {string} id */
  #edit(id) {
    const item = this.#queue.take(id);
    if (item) this.#page.writing.giveBack({ ...item.message, conversation: item.conversation });
  }
}
