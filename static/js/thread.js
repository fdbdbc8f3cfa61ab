// What of a conversation is shown: the path through its versions, and what the reader chose. Of a
// long path only a part is here; what is above and below it comes as it is needed.

import { ConversationClient } from "./conversation_client.js";
import { hasEnded } from "./snapshot.js";

export class Thread {
  /** @type {Map<string | null, string>} */ #chosen = new Map();
  /** @type {string | null} a message in the shown part, null for the newest part */ #anchor = null;
  /** @type {Message[]} */ path = [];
  #isCut = false;
  #client;
  #models;

  /**
   * @param {ConversationClient} client
   * @param {ModelChoice[]} models
   */
  constructor(client, models) {
    this.#client = client;
    this.#models = models;
  }

  /** Forgets what was chosen, as when another conversation is opened. */
  reset() {
    this.#chosen.clear();
  }

  /** @param {string | null} message the part around it is the shown one; null: the newest part */
  pin(message) {
    this.#anchor = message;
  }

  /** @param {string} message one to bring onto the path */
  choose(message) {
    for (const [parent, child] of this.#tree?.choicesFor(message) ?? []) this.#chosen.set(parent, child);
  }

  /** @param {string | null} parent where the newest version is to be shown again */
  chooseNewest(parent) {
    this.#chosen.delete(parent);
  }

  /** @returns {Item[]} */
  items() {
    const path = this.#tree?.path(this.#chosen, this.#anchor) ?? [];
    // A message on its way that replaces an older one hides that one and all below it.
    const [pending] = this.#client.pending;
    const cut = pending ? path.findIndex((message) => message.parent === parentOf(pending)) : -1;
    this.#isCut = cut >= 0;
    this.path = cut < 0 ? path : path.slice(0, cut);
    const { quiet } = this;
    return this.path.map((message) => this.#item(message, quiet));
  }

  /** @param {string} generation @returns {Item | null} null when it is not on the path */
  itemOf(generation) {
    const message = this.path.findLast((one) => one.generation?.id === generation);
    return message ? this.#item(message, this.quiet) : null;
  }

  /** @param {string} id */
  message(id) {
    return this.path.find((message) => message.id === id);
  }

  /** @param {string} id */
  isLoaded(id) {
    return this.#tree?.get(id) !== undefined;
  }

  get hasOlder() {
    return this.path.length > 0 && this.path[0]?.parent !== null;
  }

  get hasNewer() {
    const last = this.path.at(-1);
    return last !== undefined && !this.#isCut && this.#tree?.goesOn(last.id) === true;
  }

  /** @returns {string | null} the message that a new one follows, which may not be here */
  get end() {
    const last = this.path.at(-1);
    if (this.#isCut) return last?.id ?? null;
    return last ? this.#tree?.endBelow(last.id, this.#chosen) ?? null : null;
  }

  /** @returns {Snapshot | null} the answer at the end of the path */
  get last() {
    const { open, store } = this.#client;
    if (this.hasNewer && open !== null) return store.running(open).at(-1) ?? null;
    return this.#snapshotOf(this.path.at(-1));
  }

  get isRunning() {
    return this.last !== null && !hasEnded(this.last);
  }

  /** Whether the branch is at rest, so that it can be edited or tried again. */
  get quiet() {
    return !this.isRunning && this.#client.pending.length === 0;
  }

  /** @param {Message} message @param {boolean} quiet @returns {Item} */
  #item(message, quiet) {
    return {
      message,
      snapshot: this.#snapshotOf(message),
      note: this.#client.store.notes.get(message.generation?.id ?? ""),
      siblings: this.#tree?.siblingsOf(message) ?? { index: 0, ids: [message.id] },
      models: this.#models,
      quiet,
    };
  }

  /** @param {Message | undefined} message */
  #snapshotOf(message) {
    return this.#client.store.snapshots.get(message?.generation?.id ?? "") ?? null;
  }

  get #tree() {
    return this.#client.open === null ? undefined : this.#client.store.treeOf(this.#client.open);
  }
}

/** @param {OutboxEntry} entry */
function parentOf({ command }) {
  return command.type === "message.submit" ? command.parent : null;
}
