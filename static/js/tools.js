// The tools that come with the product, in words that people use. Others are called by their names.

import { gettext } from "./gettext.js";

/** @type {Record<string, () => string>} */
const LABELS = {
  calculator: () => gettext("Calculate"),
  current_time: () => gettext("Look up the time"),
  fetch_page: () => gettext("Read a web page"),
  read_attachment: () => gettext("Read an attached file"),
  search_conversations: () => gettext("Search your conversations"),
};

/** What a tool does: of an unknown one its name, such as `look_up` as “Look up”. @param {string} name */
export function toolLabel(name) {
  return Object.hasOwn(LABELS, name) ? LABELS[name]?.() ?? "" : inWords(name);
}

/** @param {string} name */
function inWords(name) {
  const words = name.replace(/([a-z])([A-Z])/g, "$1 $2").replace(/[_-]+/g, " ").trim().toLowerCase();
  return words ? words.charAt(0).toUpperCase() + words.slice(1) : gettext("Tool");
}

/** The part of a result that names sources. A fetched page is one itself, and what it links to is none;
 * what the user has written is none either. @param {{name: string, extras: {result?: string}}} block */
export function sourceText({ name, extras }) {
  const result = extras.result ?? "";
  if (name === "fetch_page") return result.split("\n", 1)[0] ?? "";
  return name === "read_attachment" || name === "search_conversations" ? "" : result;
}
