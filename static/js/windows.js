// Fetches the parts of a long conversation that are not here yet, one at a time.

import { request } from "./api.js";

const ANSWER_MS = 10_000;

export class Windows {
  /** @type {Promise<boolean> | null} */ #busy = null;
  #client;
  #thread;

  /**
   * @param {import("./conversation_client.js").ConversationClient} client
   * @param {import("./thread.js").Thread} thread
   */
  constructor(client, thread) {
    this.#client = client;
    this.#thread = thread;
  }

  /** What is above the shown part. @returns {Promise<boolean>} whether it is here now */
  older() {
    const top = this.#thread.path[0];
    return this.#once(() => (top && this.#thread.hasOlder ? this.#load({ before: top.id }) : false));
  }

  /** What is below the shown part. @returns {Promise<boolean>} */
  newer() {
    const last = this.#thread.path.at(-1);
    return this.#once(() => (last && this.#thread.hasNewer ? this.#load({ starting: last.id }) : false));
  }

  /** The other version of a message, with what is below it. @param {string} message */
  async version(message) {
    return this.#thread.isLoaded(message) || this.#load({ starting: message });
  }

  /** A message with what is above and below it. @param {string} message */
  async around(message) {
    return this.#thread.isLoaded(message) || this.#load({ through: message });
  }

  /**
   * After the line was down the newest part is here again, and the path may have grown by more than
   * that: a reader who is not at the end keeps their place, so what is between must be known.
   * @param {Message[]} newest
   */
  async mend(newest) {
    const last = this.#thread.path.at(-1);
    if (!last || newest.some((message) => message.id === last.id)) return;
    this.#thread.pin(last.id);
    await this.#load({ starting: last.id }).catch(() => false);
  }

  /** @param {() => Promise<boolean> | false} act */
  #once(act) {
    this.#busy ??= Promise.resolve(act()).finally(() => { this.#busy = null; });
    return this.#busy;
  }

  /** @param {Record<string, string>} which @returns {Promise<boolean>} whether it is still wanted */
  async #load(which) {
    const { open } = this.#client;
    if (open === null) return false;
    const window = await request("GET", `/conversations/${open}/messages?${new URLSearchParams(which)}`, undefined, {
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (this.#client.open !== open) return false;
    this.#client.addWindow(open, window);
    return true;
  }
}
