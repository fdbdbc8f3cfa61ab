// The lists that grow as one scrolls: what is in no folder, the archive, and each folder.

import { request } from "./api.js";
import { reach } from "./store.js";

/** @typedef {{next: string | null, begun: boolean, busy: boolean, failed: boolean}} ListState */

export const MAIN = "main";
export const ARCHIVE = "archive";

export class ConversationLists {
  /** @type {Map<string, ListState>} */ #states = new Map();
  #store;
  #changed;
  #ask;

  /**
   * @param {import("./store.js").Store} store
   * @param {string | null} next where the page's own part of the main list ends
   * @param {() => void} changed
   * @param {(method: "GET", path: string) => Promise<{conversations: Conversation[], next: string | null}>} [ask]
   */
  constructor(store, next, changed, ask = request) {
    this.#store = store;
    this.#changed = changed;
    this.#ask = ask;
    this.#states.set(MAIN, { next, begun: true, busy: false, failed: false });
  }

  /** @param {string} name MAIN, ARCHIVE or a folder's id @returns {ListState} */
  state(name) {
    const known = this.#states.get(name) ?? { next: null, begun: false, busy: false, failed: false };
    this.#states.set(name, known);
    return known;
  }

  /** @param {string} name */
  hasMore(name) {
    const { begun, next } = this.state(name);
    return !begun || next !== null;
  }

  /** The next part of a list, unless it is on its way or there is none. @param {string} name */
  async more(name) {
    const state = this.state(name);
    if (state.busy || !this.hasMore(name)) return;
    state.busy = true;
    state.failed = false;
    const since = this.#store.revision;
    try {
      this.#take(name, state, since, await this.#ask("GET", pathOf(name, state.next)));
    } catch {
      state.failed = true;
    }
    state.busy = false;
    this.#changed();
  }

  /** What was opened is read again: the line was away, and changes came to nobody here. */
  async refresh() {
    for (const [name, state] of this.#states) {
      if (name === MAIN || !state.begun) continue;
      state.begun = false;
      state.next = null;
      await this.more(name);
    }
  }

  /** @param {string} name @param {ListState} state @param {number} since @param {{conversations: Conversation[], next: string | null}} page */
  #take(name, state, since, page) {
    const isFirst = !state.begun;
    const oldest = reach(page.conversations, page.next);
    this.#store.mergeList(page.conversations, (one) =>
      isFirst && isIn(name, one) && Date.parse(one.updated_at) >= oldest, since);
    Object.assign(state, { begun: true, next: page.next });
  }
}

/** @param {string} name @param {Conversation} one */
function isIn(name, one) {
  return name === ARCHIVE ? one.archived : one.folder === name && !one.archived;
}

/** @param {string} name @param {string | null} before */
function pathOf(name, before) {
  const query = new URLSearchParams({ before: before ?? "" });
  if (name === ARCHIVE) query.set("archived", "true");
  else query.set("folder", name === MAIN ? "none" : name);
  return `/conversations?${query}`;
}
