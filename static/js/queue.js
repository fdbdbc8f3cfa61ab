// Messages that were written while an answer was still arriving. Each goes out by itself, once, when
// the branch that it was written behind is at rest. Without any DOM.

/**
 * @typedef {object} QueueStorage
 * @property {() => QueuedMessage[]} load
 * @property {(items: QueuedMessage[]) => void} save
 *
 * @typedef {object} Rest what the page shows
 * @property {boolean} isBusy something is on its way or being written
 * @property {Status | null} status of the last answer on the shown path
 * @property {string[]} path the ids of the shown messages
 */

export class Queue {
  #items;
  #storage;

  /** @param {QueueStorage} storage of one tab, so that no other one sends the same */
  constructor(storage) {
    this.#storage = storage;
    this.#items = storage.load();
  }

  /** @param {string | null} conversation @returns {QueuedMessage[]} in the order in which they go */
  of(conversation) {
    return this.#items.filter((item) => item.conversation === conversation);
  }

  /** @param {QueuedMessage} item */
  add(item) {
    this.#keep([...this.#items, item]);
  }

  /** Takes it out, to be sent or changed. @param {string} id @returns {QueuedMessage | undefined} */
  take(id) {
    const found = this.#items.find((item) => item.id === id);
    if (found) this.#keep(this.#items.filter((item) => item !== found));
    return found;
  }

  /** To the front, and out as soon as nothing is in the way, whatever becomes of the answer. @param {string} id */
  hurry(id) {
    const found = this.#items.find((item) => item.id === id);
    if (found) this.#keep([{ ...found, hurry: true }, ...this.#items.filter((item) => item !== found)]);
  }

  /** What was written behind the first message of a new chat goes where that one went. @param {string} conversation */
  adopt(conversation) {
    this.#keep(this.#items.map((item) => (item.conversation === null ? { ...item, conversation } : item)));
  }

  /** Takes out the message whose time has come. @param {string | null} conversation @param {Rest} rest @returns {QueuedMessage | undefined} */
  due(conversation, rest) {
    const [next] = this.of(conversation);
    return next && !rest.isBusy && (next.hurry || isAnswered(next, rest)) ? this.take(next.id) : undefined;
  }

  /** @param {QueuedMessage[]} items */
  #keep(items) {
    this.#items = items;
    this.#storage.save(items);
  }
}

/**
 * The answer before it is whole, and is the one that its writer was reading.
 * @param {QueuedMessage} next
 * @param {Rest} rest
 */
export function isAnswered({ after }, { status, path }) {
  return status === "completed" && (after === null || path.includes(after));
}
