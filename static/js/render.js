// The only place where what a model writes becomes HTML: through DOMPurify, with a short list of what
// may pass. Code and formulas leave it as plain text in a `pre` or a `code`, see widgets.js.

import DOMPurify from "dompurify";

import { guard } from "./links.js";
import { marked } from "./grammar.js";

const MARKUP = {
  ALLOWED_TAGS: [
    "a", "b", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "input", "kbd", "li",
    "mark", "ol", "p", "pre", "s", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
  ],
  ALLOWED_ATTR: ["align", "checked", "data-language", "data-math", "data-note", "disabled", "href", "start", "title", "type"],
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  // DOMPurify holds every value against the pattern of addresses, unless it is told otherwise.
  ADD_URI_SAFE_ATTR: ["align", "data-language", "data-math", "data-note", "start", "title", "type"],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: /** @type {const} */ (true),
};

/** @param {MarkdownToken} token @returns {DocumentFragment} */
export function render(token) {
  return fragmentOf(/** @type {string} */ (marked.parser([token])));
}

/** @param {MarkdownToken[]} tokens @returns {DocumentFragment} */
export function renderAll(tokens) {
  return fragmentOf(/** @type {string} */ (marked.parser(tokens)));
}

/** @param {string} html */
function fragmentOf(html) {
  const fragment = DOMPurify.sanitize(html, MARKUP);
  for (const list of [fragment, ...fragment.querySelectorAll("ul, ol, table, thead, tbody, tr")]) dropSpace(list);
  for (const link of fragment.querySelectorAll("a")) guard(link);
  for (const table of fragment.querySelectorAll("table")) wrapTable(table);
  for (const input of fragment.querySelectorAll("input")) {
    input.type = "checkbox";
    // By a class: a rule with :has() would make the browser style the whole text again and again.
    input.closest("li")?.classList.add("task");
  }
  return fragment;
}

/** Between blocks, items and rows it means nothing, and would have to be counted with. @param {ParentNode & Node} parent */
function dropSpace(parent) {
  for (const child of [...parent.childNodes]) if (child instanceof Text && child.data.trim() === "") child.remove();
}

/** @param {HTMLTableElement} table */
function wrapTable(table) {
  const scroller = document.createElement("div");
  scroller.className = "table-scroll";
  scroller.tabIndex = 0;
  table.replaceWith(scroller);
  scroller.append(table);
}
