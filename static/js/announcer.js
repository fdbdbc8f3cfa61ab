// Reads an arriving answer to screen readers in whole sentences, not token by token.

const EVERY_MS = 2_000;
const KEPT = 3;

export class Announcer {
  #element;
  #generation = "";
  #told = 0;
  #last = 0;
  #state = "";

  /** @param {HTMLElement} element a polite live region */
  constructor(element) {
    this.#element = element;
  }

  /**
   * @param {string} generation
   * @param {string} text all so far
   * @param {boolean} ended
   * @param {string} state what stands below the answer, such as "Stopped"; empty while it simply arrives
   */
  update(generation, text, ended, state) {
    if (generation !== this.#generation || text.length < this.#told) this.#begin(generation);
    this.#tell(text, ended);
    if (state && state !== this.#state) this.#say(state);
    this.#state = state;
  }

  /** @param {string} text @param {boolean} ended */
  #tell(text, ended) {
    if (!ended && Date.now() - this.#last < EVERY_MS) return;
    const end = ended ? text.length : this.#told + endOfSentences(text.slice(this.#told));
    if (end <= this.#told) return;
    this.#say(text.slice(this.#told, end));
    this.#told = end;
  }

  /** @param {string} generation */
  #begin(generation) {
    this.#generation = generation;
    this.#told = 0;
    this.#state = "";
  }

  /** @param {string} text */
  #say(text) {
    this.#last = Date.now();
    const line = document.createElement("p");
    line.textContent = text.replace(/[*_`#>|~]+/g, "");
    this.#element.append(line);
    while (this.#element.childElementCount > KEPT) this.#element.firstElementChild?.remove();
  }
}

/** @param {string} text @returns {number} how much of it is whole sentences */
export function endOfSentences(text) {
  let end = 0;
  for (const match of text.matchAll(/[.!?…:][)"'”’]*\s|[。！？]|\n/g)) end = match.index + match[0].length;
  return end;
}
