// Reads an answer aloud: its text without code and formulas, paragraph by paragraph. Browsers fall
// silent in the middle of an utterance that is too long.

import { find } from "./dom.js";
import { locale } from "./gettext.js";

const UNSPOKEN = ".code, .diagram, .math, .footnote, .link-host";

export class Speaker {
  /** @type {HTMLElement | null} */ #answer = null;

  static isPossible = "speechSynthesis" in globalThis;

  /** @param {HTMLElement} answer */
  read(answer) {
    this.stop();
    const texts = spokenTexts(answer.querySelectorAll(".prose"));
    if (texts.length === 0) return;
    this.#show(answer);
    for (const text of texts) speechSynthesis.speak(this.#utterance(text, text === texts.at(-1)));
  }

  stop() {
    if (!this.#answer) return;
    speechSynthesis.cancel();
    this.#show(null);
  }

  /** @param {string} text @param {boolean} isLast */
  #utterance(text, isLast) {
    const utterance = new SpeechSynthesisUtterance(text);
    const answer = this.#answer;
    utterance.lang = locale();
    if (isLast) utterance.onend = utterance.onerror = () => { if (this.#answer === answer) this.#show(null); };
    return utterance;
  }

  /** @param {HTMLElement | null} answer that is being read */
  #show(answer) {
    if (this.#answer) find(this.#answer, ".hush").hidden = true;
    this.#answer = answer;
    if (answer) find(answer, ".hush").hidden = false;
  }
}

/** @param {NodeListOf<Element>} proses @returns {string[]} */
export function spokenTexts(proses) {
  return [...proses].filter((prose) => !prose.closest(".thought")).flatMap((prose) => {
    const copy = /** @type {Element} */ (prose.cloneNode(true));
    for (const element of copy.querySelectorAll(UNSPOKEN)) element.remove();
    const parts = copy.querySelectorAll("p, li, h1, h2, h3, h4, h5, h6, td, th");
    return [...parts].filter((part) => !part.querySelector("p, li")).map((part) => part.textContent?.trim() ?? "");
  }).filter(Boolean);
}
