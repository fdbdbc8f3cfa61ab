// What has arrived of a block may end in the middle of its markup. `complete` makes of it what it will
// most likely be, so that no raw marks flicker: what is open is closed, and what could still become
// anything is held back. It sees the last block alone, and only while more may follow.

/** A last line that may become a list, a heading, a rule, a fence, a table or a definition. */
const UNDECIDED = /^[ \t>]*(?:[-*+_=]+|\d{1,3}[.)]?|#{1,6}|`+|~+|\||\$|\[\^[^\]\n]*(?:\]:?)?)[ \t]*$/;
const TASK = /^([ \t>]*(?:[-*+]|\d{1,9}[.)])[ \t]+)\[[ xX]?\]?[ \t]*$/m;
const TAG = /<\/?(?:b|br|i|k|kb|kbd|m|ma|mar|mark|s|su|sub|sup|u)?[ \t]*\/?$/i;
const TABLE_RULE = /^[ \t]*\|[ \t:|-]*$/;
const FENCE = /^[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*(`{3,}|~{3,})([^\n]*)$/;
const BLOCK_START = /^[ \t>]*(?:#{1,6}[ \t]|(?:[-*+]|\d{1,9}[.)])[ \t]|\||>)/;

/** What looks for the marks that are open goes over the text again from each of them. */
const MOST_COMPLETED = 8_000;

/** @param {string} raw the source of the last block @returns {string} */
export function complete(raw) {
  if (raw.length > MOST_COMPLETED) return raw;
  if (endsInFence(raw)) return raw.replace(/\n[ \t>]*(?:`{1,2}|~{1,2})$/, "");
  return closeInline(closeTable(withhold(raw.trimEnd())));
}

/** Whether the source ends inside of a code fence, at whatever depth. @param {string} raw */
function endsInFence(raw) {
  let open = "";
  for (const line of raw.split("\n")) {
    const [, marks = "", info = ""] = FENCE.exec(line) ?? [];
    if (!marks) continue;
    if (!open) open = marks;
    else if (marks.startsWith(open) && info.trim() === "") open = "";
  }
  return open !== "";
}

/** @param {string} text */
function withhold(text) {
  const start = text.lastIndexOf("\n") + 1;
  const line = text.slice(start);
  if (UNDECIDED.test(line)) return text.slice(0, start).trimEnd();
  return text.slice(0, start) + line.replace(TASK, "$1").replace(/\\$/, "");
}

/** A table shows from its first row on: its rule is written for it. @param {string} text */
function closeTable(text) {
  const lines = text.split("\n");
  const last = lines.at(-1) ?? "";
  const header = lines.at(-2) ?? "";
  if (isRow(header) && !isRow(lines.at(-3)) && TABLE_RULE.test(last)) return [...lines.slice(0, -1), ruleFor(header)].join("\n");
  if (isRow(last) && !isRow(header)) return `${closeInline(text)}\n${ruleFor(last)}`;
  return text;
}

/** @param {string | undefined} line */
function isRow(line) {
  return line !== undefined && /^[ \t]*\|/.test(line);
}

/** @param {string} header */
function ruleFor(header) {
  const cells = header.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/);
  return `|${"---|".repeat(cells.length)}`;
}

/** @param {string} text */
function closeInline(text) {
  const start = startOfInline(text);
  const line = withoutLinkEnd(text.slice(start)).replace(TAG, "");
  return text.slice(0, start) + closeMarks(line);
}

/** Where the paragraph, item, heading or cell begins that is being written. @param {string} text */
function startOfInline(text) {
  const lines = text.split("\n");
  let start = text.length - (lines.at(-1) ?? "").length;
  for (let index = lines.length - 1; index > 0; index -= 1) {
    if (BLOCK_START.test(lines[index] ?? "") || lines[index - 1]?.trim() === "") break;
    start -= (lines[index - 1] ?? "").length + 1;
  }
  const last = lines.at(-1) ?? "";
  return isRow(last) ? start + last.lastIndexOf("|") + 1 : start;
}

/** A link is text until its address is whole; nobody should click on half of one. @param {string} text */
function withoutLinkEnd(text) {
  return text
    .replace(/!?\[([^[\]\n]*)\]\([^()\s]*(?:\([^()\s]*(?:\)[^()\s]*)?)*(?:\s+"[^"\n]*"?)?$/, "$1")
    .replace(/!?\[(?!\^)([^[\]\n]+)\](?:\[[^\]\n]*)?$/, "$1")
    .replace(/\[\^[^\]\n]*$/, "")
    .replace(/(?<!\\)!?\[([^[\]\n]{0,300})$/, "$1")
    .replace(/(^|\s)~$|!$/, "$1")
    .replace(/(^|(?<!\])\(|[\s<*_~])(https?):(\/\/\S*)$/, "$1$2&#58;$3")
    .replace(/(^|(?<!\])\(|[\s*_~])www\.(\S*)$/, "$1www&#46;$2");
}

/** @param {string} text of one paragraph, cell or item @returns {string} with what is open in it closed */
export function closeMarks(text) {
  const masked = mask(text);
  const open = openSpan(masked);
  const inside = open ? text.slice(open.end) : "";
  const before = open ? masked.slice(0, open.start) : masked;
  if (open && inside.trim() === "") return closeEmphasis(text.slice(0, open.start), before);
  if (open) return text + open.close + closers(before).map(([marks]) => marks).join("");
  return closeEmphasis(text, masked);
}

/** Whole code spans, formulas and addresses hide their marks from what comes after. @param {string} text */
function mask(text) {
  const blank = (/** @type {string} */ whole) => "x".repeat(whole.length);
  return text
    .replace(/\\[^()[\]]/g, blank)
    .replace(/(?<!`)(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, blank)
    .replace(/\$\$[\s\S]*?\$\$|\\\([\s\S]*?\\\)|\\\[[\s\S]*?\\\]/g, blank)
    .replace(/\]\([^)\n]*\)|(?:https?:\/\/|&#58;)\S*/g, blank);
}

/** @param {string} masked @returns {{start: number, end: number, close: string} | null} code or a formula without its end */
function openSpan(masked) {
  const found = /(?<!`)`+(?!`)|\$\$|\\\(|\\\[/.exec(masked);
  if (!found) return null;
  const [marks] = found;
  const close = marks === "\\(" ? "\\)" : marks === "\\[" ? "\\]" : marks;
  return { start: found.index, end: found.index + marks.length, close };
}

/** @param {string} text @param {string} masked the same, as far as marks count */
function closeEmphasis(text, masked) {
  const half = /(?<![*_~])[*_~]$/.exec(masked);
  // `**bold*` is about to be closed.
  if (half && closers(masked.slice(0, -1))[0]?.[0].startsWith(half[0].repeat(2))) return closeEmphasis(text.slice(0, -1), masked.slice(0, -1));
  const open = closers(masked);
  let end = text.trimEnd();
  const tail = text.slice(end.length);
  // Marks that have nothing after them yet are not shown.
  while (open[0] && open[0][1] + open[0][0].length === end.length) {
    end = end.slice(0, open[0][1]).trimEnd();
    open.shift();
  }
  return open.length === 0 && end.length + tail.length === text.length ? text : end + open.map(([marks]) => marks).join("");
}

/**
 * What closes the emphasis that is open, the innermost first.
 * @param {string} text
 * @returns {[marks: string, at: number][]}
 */
function closers(text) {
  /** @type {[string, number][]} */ const open = [];
  for (const run of text.matchAll(/\*{1,3}|_{1,3}|~~/g)) {
    const [marks] = run;
    const before = text[run.index - 1] ?? " ";
    const after = text[run.index + marks.length] ?? " ";
    const known = open.findIndex(([other]) => other === marks);
    if (known >= 0 && /\S/.test(before)) open.splice(0, known + 1);
    else if (canOpen(marks, before, after, run.index + marks.length === text.length)) open.unshift([marks, run.index]);
  }
  return open;
}

/** @param {string} marks @param {string} before @param {string} after @param {boolean} isLast */
function canOpen(marks, before, after, isLast) {
  if (/[\p{L}\p{N}]/u.test(before) && (marks.length === 1 || marks[0] === "_")) return false;
  return isLast || /\S/.test(after);
}
