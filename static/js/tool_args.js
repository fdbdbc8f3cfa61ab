// The arguments of a tool call: by name, as whoever has to judge them reads them.

import { clone, find, setText } from "./dom.js";

/** What one does not see but a tool reads, or what turns the order of what one sees: shown by its number. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|[\u{e0000}-\u{e007f}]/gu;

/** @param {string} text */
export function visible(text) {
  return text.replace(HIDDEN, (one) => `[U+${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`);
}

/** @param {unknown} value */
export function argText(value) {
  return visible(typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

/** While they are still being written they are no object yet. @param {string} text @returns {Record<string, unknown> | null} */
export function wholeArgs(text) {
  try {
    const parsed = JSON.parse(text);
    return parsed !== null && typeof parsed === "object" && !Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

export class ArgsView {
  #detail;
  #shown = "";

  /** @param {HTMLElement} detail of the tool's card */
  constructor(detail) {
    this.#detail = detail;
  }

  /** @param {string | Record<string, unknown>} args a text where they are still being written */
  update(args) {
    const written = typeof args === "string" ? args : JSON.stringify(args);
    if (written === this.#shown) return;
    this.#shown = written;
    const whole = typeof args === "string" ? wholeArgs(args) : args;
    const list = find(this.#detail, ".tool-args");
    const text = find(this.#detail, ".tool-args-text");
    const rows = Object.entries(whole ?? {}).map(([name, value]) => rowOf(name, value));
    list.hidden = rows.length === 0;
    text.hidden = whole !== null;
    list.replaceChildren(...rows);
    setText(text, whole === null ? visible(written) : "");
    find(this.#detail, ".tool-args-title").hidden = rows.length === 0 && text.hidden;
  }
}

/** @param {string} name @param {unknown} value */
function rowOf(name, value) {
  const row = clone("tool-arg");
  setText(find(row, "dt"), visible(name));
  setText(find(row, "dd"), argText(value));
  return row;
}
