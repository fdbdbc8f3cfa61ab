// Search as one types, without any DOM: it waits for a pause, and drops what comes too late.

import { request } from "./api.js";

const PAUSE_MS = 150;

/**
 * @typedef {object} SearchState
 * @property {string} query what `results` belong to
 * @property {SearchHit[]} results
 * @property {string | null} next
 * @property {"idle" | "busy" | "done" | "failed"} status
 */

export class Search {
  /** @type {SearchState} */ state = { query: "", results: [], next: null, status: "idle" };
  /** @type {AbortController | null} */ #running = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #changed;
  #ask;
  #pause;

  /**
   * @param {() => void} changed
   * @param {{ask?: typeof request, pause?: number}} [options]
   */
  constructor(changed, { ask = request, pause = PAUSE_MS } = {}) {
    this.#changed = changed;
    this.#ask = ask;
    this.#pause = pause;
  }

  /** @param {string} text what the field holds now; what was found before stays until something else is */
  type(text) {
    this.stop();
    const query = text.trimStart();
    if (!query) return this.#set({ query, results: [], next: null, status: "idle" });
    this.#set({ ...this.state, next: null, status: "busy" });
    this.#timer = setTimeout(() => void this.#find(query, null), this.#pause);
    return undefined;
  }

  /** The next part of what was found. */
  more() {
    const { query, next, status } = this.state;
    if (next === null || status === "busy") return;
    this.#set({ ...this.state, status: "busy" });
    void this.#find(query, next);
  }

  stop() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  /** @param {string} query @param {string | null} before */
  async #find(query, before) {
    const running = new AbortController();
    this.#running = running;
    const path = `/search?${new URLSearchParams({ q: query, before: before ?? "" })}`;
    try {
      const { results, next } = await this.#ask("GET", path, undefined, { signal: running.signal });
      if (this.#running !== running) return;
      this.#set({ query, results: before === null ? results : [...this.state.results, ...results], next, status: "done" });
    } catch {
      if (this.#running === running) this.#set({ ...this.state, query, status: "failed" });
    }
  }

  /** @param {SearchState} state */
  #set(state) {
    this.state = state;
    this.#changed();
  }
}
