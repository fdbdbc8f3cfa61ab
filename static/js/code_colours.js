// Asks the worker for colours, for code that is near the reader's eyes, and not more often than it
// can keep up with.

/** @typedef {import("./runs.js").Run} Run */
/**
 * @typedef {object} Coloured what wants colours
 * @property {HTMLElement} element
 * @property {{text: string, language: string, live: boolean}} source
 * @property {(from: number, lines: Run[][]) => void} colour
 */

const PATIENCE = 3;

/** @type {Worker | null} */
let worker = null;
let newest = 0;
/** @type {Map<number, Request>} */
const requests = new Map();
/** @type {WeakMap<Element, Request>} */
const watched = new WeakMap();

const nearby = globalThis.IntersectionObserver && new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) watched.get(target)?.seen(isIntersecting);
}, { rootMargin: "800px" });

/** The colours of one piece of code; `ask` after each change. */
export class Request {
  #view;
  #id = (newest += 1);
  #near = false;
  #asked = "";
  #since = 0;
  #busy = false;

  /** @param {Coloured} view */
  constructor(view) {
    this.#view = view;
    watched.set(view.element, this);
    nearby?.observe(view.element);
  }

  /** @param {boolean} near */
  seen(near) {
    this.#near = near;
    this.ask();
  }

  ask() {
    const { text, language, live } = this.#view.source;
    const key = `${live} ${language} ${text.length}`;
    if (!this.#near || this.#busy || language === "" || key === this.#asked) return;
    this.#asked = key;
    this.#busy = true;
    this.#since = performance.now();
    requests.set(this.#id, this);
    const library = import.meta.resolve("highlight");
    theWorker().postMessage({ id: this.#id, text, language, live, library });
  }

  /** @param {number} from @param {Run[][]} lines @param {boolean} last */
  came(from, lines, last) {
    this.#view.colour(from, lines);
    if (!last) return;
    requests.delete(this.#id);
    if (!this.#view.source.live && this.#asked.startsWith("false")) nearby?.unobserve(this.#view.element);
    // Colouring a long text again for each of its words would keep a core busy for nothing.
    setTimeout(() => { this.#busy = false; this.ask(); }, PATIENCE * (performance.now() - this.#since));
  }
}

function theWorker() {
  if (worker) return worker;
  worker = new Worker(import.meta.resolve("code-worker"), { type: "module" });
  worker.onmessage = ({ data: { id, from, lines, last } }) => requests.get(id)?.came(from, lines, last);
  return worker;
}
