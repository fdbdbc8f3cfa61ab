// Colours code apart from the page, whose thread is for the reader. Of a text that grows it sends back
// only the lines that look different from last time, in pieces that the page can show in between.

import { firstChange, linesOf } from "./runs.js";

const LINES_IN_A_PIECE = 150;

/** @type {Map<number, string[]>} what was sent of the texts that still grow */
const sent = new Map();
/** @type {Promise<typeof import("highlight").default> | null} */
let highlighter = null;

/** @param {MessageEvent<{id: number, text: string, language: string, live: boolean, library: string}>} event */
onmessage = async ({ data: { id, text, language, live, library } }) => {
  highlighter ??= import(library).then((module) => module.default);
  const { highlight, getLanguage } = await highlighter;
  if (!getLanguage(language)) return postMessage({ id, from: 0, lines: [], last: true });
  const lines = linesOf(highlight(text, { language, ignoreIllegals: true }).value);
  const keys = lines.map((line) => JSON.stringify(line));
  const from = firstChange(sent.get(id) ?? [], keys);
  if (live) sent.set(id, keys);
  else sent.delete(id);
  for (let start = from; start < lines.length; start += LINES_IN_A_PIECE) {
    postMessage({ id, from: start, lines: lines.slice(start, start + LINES_IN_A_PIECE), last: false });
  }
  return postMessage({ id, from: lines.length, lines: [], last: true });
};
