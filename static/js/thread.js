// What of a conversation is shown: the path through its versions, and what the reader chose.

import { ConversationClient } from "./conversation_client.js";
import { hasEnded } from "./snapshot.js";
import { choicesFor, shownPath, siblingsOf } from "./tree.js";

export class Thread {
  /** @type {Map<string | null, string>} */ #chosen = new Map();
  /** @type {Message[]} */ path = [];
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

  /** @param {string} message one to bring onto the path */
  choose(message) {
    for (const [parent, child] of choicesFor(this.#messages(), message)) this.#chosen.set(parent, child);
  }

  /** @param {string | null} parent where the newest version is to be shown again */
  chooseNewest(parent) {
    this.#chosen.delete(parent);
  }

  /** @returns {Item[]} */
  items() {
    const messages = this.#messages();
    const path = shownPath(messages, this.#chosen);
    // A message on its way that replaces an older one hides that one and all below it.
    const [pending] = this.#client.pending;
    const cut = pending ? path.findIndex((message) => message.parent === parentOf(pending)) : -1;
    this.path = cut < 0 ? path : path.slice(0, cut);
    return this.path.map((message) => this.#item(message, messages));
  }

  /** @param {string} generation @returns {Item | null} null when it is not on the path */
  itemOf(generation) {
    const message = this.path.find((one) => one.generation?.id === generation);
    return message ? this.#item(message, this.#messages()) : null;
  }

  /** @param {string} id */
  message(id) {
    return this.path.find((message) => message.id === id);
  }

  /** @returns {Snapshot | null} the answer at the end of the path */
  get last() {
    return this.#snapshotOf(this.path.at(-1));
  }

  get isRunning() {
    return this.last !== null && !hasEnded(this.last);
  }

  /** @param {Message} message @param {Message[]} messages @returns {Item} */
  #item(message, messages) {
    return {
      message,
      snapshot: this.#snapshotOf(message),
      note: this.#client.store.notes.get(message.generation?.id ?? ""),
      siblings: siblingsOf(messages, message.id),
      models: this.#models,
      quiet: !this.isRunning && this.#client.pending.length === 0,
    };
  }

  /** @param {Message | undefined} message */
  #snapshotOf(message) {
    return this.#client.store.snapshots.get(message?.generation?.id ?? "") ?? null;
  }

  #messages() {
    return this.#client.open === null ? [] : this.#client.store.messagesOf(this.#client.open);
  }
}

/** @param {OutboxEntry} entry */
function parentOf({ command }) {
  return command.type === "message.submit" ? command.parent : null;
}
