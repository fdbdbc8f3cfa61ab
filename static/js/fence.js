// A code block that is being written at the end of a text. Its lines need no reading as Markdown; all
// there is to look for is the line that ends it.

const OPENING = /^( {0,3})(`{3,}|~{3,})([^\n]*)\n/;

export class Fence {
  #view;
  #start;
  #scanned;
  #closing;
  #indent;
  #language;

  /**
   * @param {string} raw of the code block so far, from its opening line
   * @param {number} start where it begins in the text
   * @param {import("./code_view.js").CodeView} view
   * @returns {Fence | null} null where it is no open fence: indented code, or one that has ended
   */
  static open(raw, start, view) {
    const found = OPENING.exec(raw);
    if (!found) return null;
    const fence = new Fence(found, start, view);
    return fence.endIn(start + raw.length, (from) => raw.slice(from - start), true) ? null : fence;
  }

  /** @param {RegExpExecArray} opening @param {number} start @param {import("./code_view.js").CodeView} view */
  constructor([line, indent = "", marks = "", info = ""], start, view) {
    this.#view = view;
    this.#start = this.#scanned = start + line.length;
    this.#closing = new RegExp(`^ {0,3}${marks[0]}{${marks.length},}[ \\t]*$`);
    this.#indent = indent.length;
    this.#language = info.trim().split(/\s/)[0] ?? "";
  }

  /**
   * @param {string} text all of it
   * @param {boolean} live
   * @returns {number | null} where the text goes on after the block; null while it is open
   */
  grow(text, live) {
    const end = this.endIn(text.length, (from) => text.slice(from), live);
    const code = text.slice(this.#start, end ? end.code : text.length);
    const shown = end || !live ? code : withoutHalfFence(code);
    this.#view.update(this.#unindented(shown.replace(/\n$/, "")), this.#language, live && !end);
    return end ? end.after : null;
  }

  /**
   * Looks through the lines that are new. The last one may still grow into something else.
   * @param {number} length
   * @param {(from: number) => string} rest
   * @param {boolean} live
   */
  endIn(length, rest, live) {
    let from = this.#scanned;
    const lines = rest(from).split("\n");
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1;
      const after = Math.min(length, from + line.length + 1);
      if ((!isLast || !live) && this.#closing.test(line)) return { code: from, after };
      if (!isLast) this.#scanned = from = after;
    }
    return null;
  }

  /** @param {string} code */
  #unindented(code) {
    return this.#indent === 0 ? code : code.replace(new RegExp(`^ {1,${this.#indent}}`, "gm"), "");
  }
}

/** Marks that may become the line that ends it. @param {string} code */
function withoutHalfFence(code) {
  const start = code.lastIndexOf("\n") + 1;
  return /^ {0,3}(?:`+|~+)[ \t]*$/.test(code.slice(start)) ? code.slice(0, start) : code;
}
