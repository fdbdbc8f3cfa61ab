// The life of one WebSocket: connect, notice that it died, come back.

import { comesBack, delaySeconds } from "./backoff.js";
import { uuid } from "./uuid.js";

const CONNECT_MS = 10_000;
const PING_MS = 15_000;
const PONG_MS = 8_000;
const QUICK_PONG_MS = 3_000;
const STEADY_MS = 5_000;
const STALE_MS = 2_000;

/** Code that browsers report when a line ends without a close frame. */
const ABNORMAL = 1006;

export class Connection {
  /** @type {SocketLike | null} */ #socket = null;
  /** @type {LineState} */ state = { name: "waiting", at: 0 };
  #tries = 0;
  #openedAt = 0;
  #since = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  #create;
  #random;
  #handlers;

  /**
   * @param {object} options
   * @param {() => SocketLike} options.create opens a socket
   * @param {() => number} [options.random]
   * @param {{opened: () => void, frame: (raw: string) => void, changed: (state: LineState) => void}} options.handlers
   */
  constructor({ create, random = Math.random, handlers }) {
    this.#create = create;
    this.#random = random;
    this.#handlers = handlers;
  }

  get isOpen() {
    return this.state.name === "open";
  }

  connect() {
    this.#drop();
    this.#enter({ name: "connecting" });
    this.#since = Date.now();
    const socket = this.#create();
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#received(event.data);
    socket.onclose = (event) => this.#lost(event.code);
    this.#after(CONNECT_MS, () => this.#lost(ABNORMAL));
  }

  /** Try at once: the user asked, the network came back, or the page is looked at again. */
  nudge() {
    // What was begun before a sleep will never be answered.
    const isStale = this.state.name === "connecting" && Date.now() - this.#since > STALE_MS;
    if (this.state.name === "waiting" || isStale) this.connect();
    if (this.state.name === "open") this.#ping(QUICK_PONG_MS);
  }

  /** @param {Command} command @returns {boolean} whether it was handed to the socket */
  send(command) {
    if (!this.isOpen || !this.#socket) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  close() {
    this.#drop();
    this.#enter({ name: "ended", code: 1000 });
  }

  #opened() {
    this.#openedAt = Date.now();
    this.#enter({ name: "open" });
    this.#rest();
    this.#handlers.opened();
  }

  /** @param {string} raw */
  #received(raw) {
    this.#rest();
    this.#handlers.frame(raw);
  }

  /** Any frame is proof of life; only a silent line is asked. */
  #rest() {
    this.#after(PING_MS, () => this.#ping(PONG_MS));
  }

  /** @param {number} patience milliseconds */
  #ping(patience) {
    this.send({ type: "ping", id: uuid() });
    this.#after(patience, () => this.#lost(ABNORMAL));
  }

  /** @param {number} code */
  #lost(code) {
    // A line that fails right after it opened must not make us knock ever faster.
    if (this.isOpen && Date.now() - this.#openedAt >= STEADY_MS) this.#tries = 0;
    this.#drop();
    if (!comesBack(code)) return this.#enter({ name: "ended", code });
    const wait = delaySeconds(this.#tries, this.#random) * 1000;
    this.#tries += 1;
    this.#enter({ name: "waiting", at: Date.now() + wait });
    return this.#after(wait, () => this.connect());
  }

  /** A dead line answers close() late or never, so its handlers go first. */
  #drop() {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  /** @param {number} milliseconds @param {() => void} act */
  #after(milliseconds, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, milliseconds);
  }

  /** @param {LineState} state */
  #enter(state) {
    this.state = state;
    this.#handlers.changed(state);
  }
}
