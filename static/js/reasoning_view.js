// What the model thought before it answered: one line with how long it took, opened where it stands.

import { clone, find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { MarkdownView } from "./markdown.js";

export class ReasoningView {
  element = /** @type {HTMLDetailsElement} */ (clone("reasoning"));
  #markdown = new MarkdownView();
  #label = find(this.element, ".thought-label");
  /** @type {number | null} */ #since = null;
  /** @type {number | null} as this page saw it */ #seenMs = null;
  /** @type {{text: string, live: boolean}} */ #latest = { text: "", live: false };

  constructor() {
    find(this.element, ".thought-text").append(this.#markdown.element);
    this.element.addEventListener("toggle", () => this.#render());
  }

  /** @param {ReasoningBlock} block @param {boolean} live @param {{thoughtMs: number | null}} around */
  update(block, live, { thoughtMs }) {
    this.#latest = { text: block.reasoning, live };
    if (live) this.#since ??= Date.now();
    else if (this.#since !== null) this.#seenMs ??= Date.now() - this.#since;
    setText(this.#label, live ? gettext("Thinking") : thoughtFor(thoughtMs ?? this.#seenMs));
    this.element.toggleAttribute("data-live", live);
    this.#render();
  }

  /** What is folded away costs nothing. */
  #render() {
    if (this.element.open) this.#markdown.update(this.#latest.text, this.#latest.live);
  }
}

/** @param {number | null} ms */
function thoughtFor(ms) {
  if (ms === null) return gettext("Thought");
  return interpolate(gettext("Thought for %(seconds)s s"), { seconds: Math.max(1, Math.round(ms / 1000)) });
}
