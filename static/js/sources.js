// Where an answer has its facts from: what the model cites, and the addresses that its tools found.

import { clone, find, setText } from "./dom.js";
import { gettext, interpolate } from "./gettext.js";
import { hostOf, openApart } from "./links.js";
import { sourceText } from "./tools.js";

/** @typedef {{url: string, title: string}} Source */

const MOST = 20;
const ADDRESS = /https?:\/\/[^\s"'<>)\]}\\]+/g;

/** @param {Block[]} content @returns {Source[]} each address once, the cited ones first */
export function sourcesOf(content) {
  const cited = content.flatMap((block) => (block.type === "text" ? block.annotations ?? [] : []));
  const found = content.flatMap((block) => (block.type === "tool_call" ? inResult(sourceText(block)) : []));
  /** @type {Map<string, Source>} */ const sources = new Map();
  for (const { url, title } of [...cited.flatMap(cleaned), ...found]) {
    if (hostOf(url) && !sources.has(url)) sources.set(url, { url, title });
  }
  return [...sources.values()].slice(0, MOST);
}

/** @param {{type?: unknown, url?: unknown, title?: unknown}} annotation @returns {Source[]} */
function cleaned({ type, url, title }) {
  return type === "citation" && typeof url === "string" ? [{ url, title: typeof title === "string" ? title : "" }] : [];
}

/** @param {string} result @returns {Source[]} */
function inResult(result) {
  const known = inJson(result);
  if (known.length > 0) return known;
  return [...result.matchAll(ADDRESS)].map(([url]) => ({ url: url.replace(/[.,;:!?]+$/, ""), title: "" }));
}

/** Objects that have an address, at whatever depth. @param {string} text @returns {Source[]} */
function inJson(text) {
  /** @type {Source[]} */ const found = [];
  try {
    JSON.parse(text, (_key, value) => {
      const url = value?.url ?? value?.link ?? value?.href;
      const title = value?.title ?? value?.name ?? "";
      if (typeof url === "string" && typeof title === "string") found.push({ url, title });
      return value;
    });
  } catch {
    return [];
  }
  return found;
}

/** @param {HTMLDetailsElement} element @param {Source[]} sources */
export function showSources(element, sources) {
  element.hidden = sources.length === 0;
  const key = sources.map(({ url }) => url).join(" ");
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  setText(find(element, ".sources-label"), interpolate(gettext("Sources: %(count)s"), { count: sources.length }));
  find(element, "ol").replaceChildren(...sources.map(row));
}

/** @param {Source} source */
function row({ url, title }) {
  const item = clone("source");
  const link = /** @type {HTMLAnchorElement} */ (find(item, "a"));
  setText(find(link, ".source-title"), title || url);
  setText(find(link, ".source-host"), hostOf(url));
  link.href = url;
  openApart(link);
  return item;
}
