// Asks for what is missing: one question at a time, asked again while it stays unanswered or while
// something is still missing.

import { comparePositions } from "./snapshot.js";
import { uuid } from "./uuid.js";

const ANSWER_MS = 3_000;
const STALL_MS = 15_000;

export class Resume {
  /** @type {Map<string, Numbered>} what proved that something is missing */ #gaps = new Map();
  /** @type {Set<string>} */ #asked = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #waiting = false;
  #ask;
  #isBusy;

  /**
   * @param {object} options
   * @param {(id: string) => boolean} options.ask sends the command; false while there is no line
   * @param {() => boolean} options.isBusy whether an answer is still expected to arrive
   */
  constructor({ ask, isBusy }) {
    this.#ask = ask;
    this.#isBusy = isBusy;
  }

  /** @param {Numbered} event one that could not be applied */
  gap(event) {
    const known = this.#gaps.get(event.generation);
    if (!known || comparePositions(event, known) > 0) this.#gaps.set(event.generation, event);
    if (!this.#waiting) this.start();
  }

  start() {
    const id = uuid();
    this.#waiting = this.#ask(id);
    if (!this.#waiting) return;
    this.#asked.add(id);
    this.#after(ANSWER_MS, () => this.start());
  }

  /**
   * @param {string} id of an ack
   * @returns {boolean} whether it answers one of ours
   */
  answered(id) {
    if (!this.#asked.has(id)) return false;
    this.#asked.clear();
    // What was asked for comes after the ack. Until it is here, or late, nothing is asked again.
    this.#after(ANSWER_MS, () => this.#check());
    return true;
  }

  /** @param {string} id of an error @param {number} milliseconds to wait before asking again */
  refused(id, milliseconds) {
    if (!this.answered(id)) return false;
    this.#after(milliseconds, () => this.start());
    return true;
  }

  /** @param {Numbered} position one that was reached */
  reached(position) {
    const gap = this.#gaps.get(position.generation);
    if (gap && comparePositions(position, gap) >= 0) this.#gaps.delete(position.generation);
    if (this.#asked.size === 0 && this.#gaps.size === 0) this.watch();
  }

  /** Forgets all: the line is gone, or another conversation is shown. */
  stop() {
    clearTimeout(this.#timer);
    this.#gaps.clear();
    this.#asked.clear();
    this.#waiting = false;
  }

  /**
   * The doorbell may lose even the last event of an answer, and then no later one shows the gap. So
   * a long silence while an answer is expected is a reason to ask as well.
   */
  watch() {
    if (this.#asked.size > 0) return;
    this.#waiting = false;
    this.#after(STALL_MS, () => (this.#isBusy() ? this.start() : this.watch()));
  }

  #check() {
    if (this.#gaps.size > 0) this.start();
    else this.watch();
  }

  /** @param {number} milliseconds @param {() => void} act */
  #after(milliseconds, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, milliseconds);
  }
}
