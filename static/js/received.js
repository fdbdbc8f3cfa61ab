// Tells the server what has arrived, so that it can slow down for a slow line: at most twice a
// second, and after each 64 KiB.

const EVERY_MS = 500;
const EVERY_CHARS = 64 * 1024;

export class ReceivedReports {
  /** @type {Map<string, Position>} */ #waiting = new Map();
  /** @type {ReturnType<typeof setTimeout> | null} */ #timer = null;
  #chars = 0;
  #last = 0;
  #send;

  /** @param {(report: Numbered) => void} send */
  constructor(send) {
    this.#send = send;
  }

  /** @param {Numbered} position @param {number} chars length of the frame */
  note({ generation, attempt, seq }, chars) {
    this.#waiting.set(generation, [attempt, seq]);
    this.#chars += chars;
    // Timers of a hidden tab may sleep for a minute, frames do not: so the clock is read here too.
    const rest = this.#last + EVERY_MS - Date.now();
    if (rest <= 0 || this.#chars >= EVERY_CHARS) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), rest);
  }

  /** What an old line carried need not be told to the new one. */
  clear() {
    this.#waiting.clear();
    this.#chars = 0;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #flush() {
    const reports = [...this.#waiting];
    this.clear();
    this.#last = Date.now();
    for (const [generation, [attempt, seq]] of reports) this.#send({ generation, attempt, seq });
  }
}
