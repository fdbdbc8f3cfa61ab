// How Markdown is read: marked, with formulas and footnotes. What it gives is HTML as a model wished
// it; only render.js may put that on a page.

import { Marked } from "marked";

import { bold } from "./bold_grammar.js";
import { escape } from "./escape.js";
import { blockMath, inlineMath } from "./math_grammar.js";

/** Tags without attributes that models use inside of lines, where Markdown has nothing for them. */
const PLAIN_TAG = /^<\/?(?:b|br|i|kbd|mark|s|sub|sup|u)\s*\/?>$/i;
const NOTE = /^\[\^([^\]\s]{1,64})\]:[ \t]*([^\n]*(?:\n+(?: {2,}|\t)[^\n]+|\n(?![\n \t#>|]|\[\^|`{3}|[-*+] |\d+[.)] )[^\n]+)*)(?:\n+|$)/;
const REFERENCE = /^\[\^([^\]\s]{1,64})\]/;

/** @type {import("marked").TokenizerAndRendererExtension} */
const footnote = {
  name: "footnote",
  level: "block",
  start: (source) => /\n\[\^/.exec(source)?.index,
  tokenizer(source) {
    const [raw, id, text = ""] = NOTE.exec(source) ?? [];
    if (raw === undefined) return undefined;
    const tokens = this.lexer.blockTokens(text.replace(/^(?: {2,4}|\t)/gm, ""), []);
    return { type: "footnote", raw, id, tokens };
  },
  renderer() {
    return "";
  },
};

/** @type {import("marked").TokenizerAndRendererExtension} */
const reference = {
  name: "reference",
  level: "inline",
  start: (source) => /\[\^/.exec(source)?.index,
  tokenizer(source) {
    const [raw, id] = REFERENCE.exec(source) ?? [];
    return raw === undefined ? undefined : { type: "reference", raw, id };
  },
  renderer: ({ id, raw }) => `<sup data-note="${escape(id)}">${escape(raw)}</sup>`,
};

export const marked = new Marked({
  gfm: true,
  extensions: [blockMath, inlineMath, footnote, reference, bold],
  renderer: {
    // All other tags that a model writes are text. Images would tell a foreign server who reads
    // this, so they become links.
    html: ({ text }) => (PLAIN_TAG.test(text) ? text : escape(text)),
    image: ({ href, text }) => `<a href="${escape(href)}">${escape(text || href)}</a>`,
    checkbox: ({ checked }) => `<input type="checkbox" disabled${checked ? " checked" : ""}> `,
    code: ({ text, lang }) =>
      `<pre data-language="${escape(lang?.match(/^\S+/)?.[0] ?? "")}"><code>${escape(text)}</code></pre>`,
  },
});

/** @typedef {import("marked").TokensList["links"]} Links */

/** Quotes in quotes; marked calls itself for each of them. */
const DEEPEST = 24;
/** Marks times characters of one paragraph, cell or item: what a person writes has a tenth of it. */
const MOST_TANGLED = 2_500_000;

/**
 * Where marks are open, marked reads the rest of the text again for each of them. A model can write so
 * many that a page would stand still for minutes; such a text is shown as it is.
 */
class BoundedLexer extends marked.Lexer {
  #depth = 0;

  /** @param {string} source @param {any} [tokens] @param {boolean} [clipped] @returns {any} */
  blockTokens(source, tokens = [], clipped = false) {
    if (this.#depth >= DEEPEST) {
      tokens.push(plain(source));
      return tokens;
    }
    this.#depth += 1;
    try {
      return super.blockTokens(source, tokens, clipped);
    } finally {
      this.#depth -= 1;
    }
  }

  /** @param {string} source @param {any} [tokens] @returns {any} */
  inlineTokens(source, tokens = []) {
    if (!isTangled(source)) return super.inlineTokens(source, tokens);
    tokens.push(plain(source));
    return tokens;
  }
}

/** @param {string} source */
function isTangled(source) {
  // The shortest text that can be: all of it marks.
  if (source.length ** 2 < MOST_TANGLED) return false;
  return source.length * (source.match(/[[\\*_`$<~]/g)?.length ?? 0) > MOST_TANGLED;
}

/** @param {string} source */
function plain(source) {
  return { type: "text", raw: source, text: source, escaped: false };
}

/**
 * @param {string} source
 * @param {Links} [links] references that are known already
 * @returns {import("marked").TokensList}
 */
export function lex(source, links = {}) {
  const lexer = new BoundedLexer({ ...marked.defaults });
  Object.assign(lexer.tokens.links, links);
  return lexer.lex(source);
}
