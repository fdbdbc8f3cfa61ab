// A piece of code: its language, its buttons, and its lines, which only ever grow at the end.

import { Request } from "./code_colours.js";
import { Diagram } from "./diagram.js";
import { clone, find, setText } from "./dom.js";

/** @typedef {import("./runs.js").Run} Run */

/** Where the page was told to wrap, it wraps what comes as well. */
let wraps = false;

export class CodeView {
  element = clone("code");
  source = { text: "", language: "", live: false };
  #code = find(this.element, "code");
  /** @type {{text: string, element: HTMLElement}[]} */ #lines = [];
  #colours = new Request(this);
  /** @type {Diagram | null} */ #diagram = null;

  constructor() {
    setWrap(this.element, wraps);
  }

  /** @param {Element} source a `pre` @param {boolean} live @returns {boolean} */
  take(source, live) {
    if (source.tagName !== "PRE") return false;
    this.update(source.textContent ?? "", /** @type {HTMLElement} */ (source).dataset.language ?? "", live);
    return true;
  }

  /** @param {string} text @param {string} language @param {boolean} live */
  update(text, language, live) {
    const known = this.source;
    this.source = { text, language: language.toLowerCase(), live };
    setText(find(this.element, ".code-language"), language || "text");
    this.element.toggleAttribute("data-live", live);
    if (!text.startsWith(known.text)) this.#clear();
    this.#append(text.startsWith(known.text) ? text.slice(known.text.length) : text);
    this.#colours.ask();
    if (language === "mermaid" && !live) (this.#diagram ??= new Diagram(this.element)).show(text);
  }

  /**
   * Colours of a text that may have grown since they were asked for.
   * @param {number} from @param {Run[][]} lines
   */
  colour(from, lines) {
    lines.forEach((runs, index) => {
      const line = this.#lines[from + index];
      const known = runs.map(([text]) => text).join("");
      if (line?.text.startsWith(known)) line.element.replaceChildren(...runs.map(elementOf), line.text.slice(known.length));
    });
  }

  /** @param {string} text */
  #append(text) {
    text.split("\n").forEach((part, index) => {
      if (index > 0) this.#endLine();
      if (part !== "") this.#write(part);
    });
  }

  #endLine() {
    if (this.#lines.length === 0) this.#addLine("");
    this.#write("\n");
    this.#addLine("");
  }

  /** @param {string} part */
  #write(part) {
    const line = this.#lines.at(-1) ?? this.#addLine("");
    line.text += part;
    const last = line.element.lastChild;
    if (last instanceof Text) last.appendData(part);
    else line.element.append(part);
  }

  /** @param {string} text */
  #addLine(text) {
    const line = { text, element: document.createElement("span") };
    this.#lines.push(line);
    this.#code.append(line.element);
    return line;
  }

  #clear() {
    this.#lines = [];
    this.#code.replaceChildren();
  }
}

/** @param {Run} run */
function elementOf([text, className]) {
  if (className === "") return text;
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

/** @param {HTMLElement} figure */
export function toggleWrap(figure) {
  wraps = !figure.hasAttribute("data-wrap");
  setWrap(figure, wraps);
}

/** @param {HTMLElement} figure @param {boolean} on */
function setWrap(figure, on) {
  figure.toggleAttribute("data-wrap", on);
  find(figure, '[data-action="wrap"]').setAttribute("aria-pressed", String(on));
}
