// One formula. KaTeX is fetched when the first one appears; until then, and where a formula is wrong,
// its source is shown. KaTeX sets styles one by one on elements, which the page's policy allows, where
// HTML text with styles in it would be refused.

import { clone } from "./dom.js";

/** @typedef {typeof import("katex").default} Katex */

const OPTIONS = {
  // No links, images, classes or styles of a model's own, and bounds for what a formula may grow to.
  trust: false,
  maxSize: 20,
  maxExpand: 300,
  throwOnError: true,
  // Models mix their own language into formulas; LaTeX would be stricter.
  strict: /** @type {const} */ ("ignore"),
};

/** @type {Katex | null} */
let katex = null;
/** @type {Promise<void> | null} */
let loading = null;

export class MathView {
  element;
  #block;
  #source = "";
  #shown = "";

  /** @param {boolean} block whether it stands alone */
  constructor(block) {
    this.#block = block;
    this.element = document.createElement("span");
    this.element.className = block ? "math math-block" : "math";
    this.element.dir = "ltr";
  }

  /** @param {Element} source @param {boolean} live @returns {boolean} */
  take(source, live) {
    const { math } = /** @type {HTMLElement} */ (source).dataset;
    if (math !== (this.#block ? "block" : "inline")) return false;
    this.#source = source.textContent ?? "";
    this.element.dataset.source = this.#source;
    if (katex) this.#render(katex, live);
    else void this.#renderLater(live);
    return true;
  }

  /** @param {boolean} live */
  async #renderLater(live) {
    this.#showSource();
    await load();
    if (katex) this.#render(katex, live);
  }

  /** @param {Katex} by @param {boolean} live a formula that is still being written may be wrong for a moment */
  #render(by, live) {
    if (this.#shown === this.#source) return;
    const target = document.createElement("span");
    try {
      by.render(this.#source, target, { ...OPTIONS, displayMode: this.#block });
    } catch {
      if (!live || this.#shown === "") this.#showSource();
      return;
    }
    this.element.replaceChildren(...target.childNodes);
    this.element.removeAttribute("data-plain");
    this.#shown = this.#source;
  }

  #showSource() {
    const code = document.createElement("code");
    code.textContent = this.#source;
    this.element.replaceChildren(code);
    this.element.setAttribute("data-plain", "");
    this.#shown = "";
  }
}

function load() {
  loading ??= (async () => {
    document.head.append(clone("math-styles"));
    try {
      katex = (await import("katex")).default;
    } catch {
      // Offline, say: the sources stay, and the next formula tries again.
      loading = null;
    }
  })();
  return loading;
}
