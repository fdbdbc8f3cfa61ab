// Reads an answer aloud: its text without code and formulas, paragraph by paragraph. Browsers fall
// silent in the middle of an utterance that is too long.

import { find } from "./dom.js";
import { locale } from "./gettext.js";

const SPOKEN = "p, li, h1, h2, h3, h4, h5, h6, td, th";
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
    return [...copy.querySelectorAll(SPOKEN)].map(ownText);
  }).filter(Boolean);
}

/** Without the parts in it, such as the items below an item: they have their own turn. @param {Element} part */
function ownText(part) {
  const copy = /** @type {Element} */ (part.cloneNode(true));
  for (const inner of copy.querySelectorAll(SPOKEN)) inner.remove();
  return copy.textContent?.trim() ?? "";
}
