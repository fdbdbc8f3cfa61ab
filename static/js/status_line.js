// What is said below an answer that is not simply there.

import { failureText } from "./failures.js";
import { gettext, interpolate, locale, ngettext } from "./gettext.js";

/** @typedef {{kind: "none" | "told" | "waiting" | "busy" | "stopped" | "cut" | "failed", text: string}} StatusLine */

/**
 * @param {Snapshot} snapshot
 * @param {Note | undefined} note
 * @param {boolean} waitedLong
 * @returns {StatusLine}
 */
export function statusLine(snapshot, note, waitedLong) {
  switch (snapshot.status) {
    case "completed": return ending(snapshot);
    case "cancelled": return { kind: "stopped", text: gettext("Stopped") };
    case "failed": return { kind: "failed", text: failureText(snapshot.error) };
    default: return running(snapshot, note, waitedLong);
  }
}

/**
 * @param {Snapshot} snapshot
 * @param {Note | undefined} note
 * @param {boolean} waitedLong
 * @returns {StatusLine}
 */
function running(snapshot, note, waitedLong) {
  if (note?.label) return { kind: "busy", text: note.label };
  if (snapshot.content.length > 0) return note?.standIn ? { kind: "told", text: note.standIn } : { kind: "none", text: "" };
  if (note?.position) return { kind: "waiting", text: interpolate(gettext("Number %(position)s in the queue"), { position: note.position }) };
  return { kind: "waiting", text: waitedLong ? gettext("Still waiting for the model") : "" };
}

/** @param {Snapshot} snapshot @returns {StatusLine} */
function ending(snapshot) {
  switch (snapshot.finish_reason) {
    case "length": return { kind: "cut", text: gettext("The answer reached its length limit.") };
    case "content_filter": return { kind: "cut", text: gettext("A content filter ended the answer.") };
    case "refusal": return { kind: "cut", text: gettext("The model declined to answer.") };
    case "tool_limit": return { kind: "cut", text: gettext("The answer has used all the tool calls that it may make.") };
    default: return isEmpty(snapshot) ? { kind: "cut", text: gettext("The model gave no answer.") } : { kind: "none", text: "" };
  }
}

/** Whether an answer ended well and says nothing: a model may think, and stop there. @param {Snapshot} snapshot */
export function isEmpty({ status, finish_reason: reason, content }) {
  const saysNothing = content.every((block) => block.type === "reasoning" || (block.type === "text" && !block.text.trim()));
  return status === "completed" && (reason ?? "stop") === "stop" && saysNothing;
}

/** Whether an answer was cut, and there is something to go on from. @param {Snapshot} snapshot */
export function offersRest({ status, finish_reason: reason, content }) {
  const isCut = status === "cancelled" || status === "failed" || reason === "length" || reason === "tool_limit";
  return isCut && content.some(({ type }) => type === "text" || type === "tool_call");
}

/** @param {Snapshot} snapshot */
export function wasStartedAgain(snapshot) {
  return snapshot.attempt > 1 && snapshot.status === "in_progress";
}

/** @param {Snapshot} snapshot @param {ModelChoice[]} models @returns {string} */
export function metaLine(snapshot, models) {
  const label = models.find((model) => model.slug === snapshot.model)?.label ?? snapshot.model;
  const tokens = snapshot.usage.output_tokens;
  const parts = [label, typeof tokens === "number" && tokens > 0 ? tokenCount(tokens) : null, leftOut(snapshot.usage), fromCache(snapshot.usage.cached)];
  return parts.filter(Boolean).join(" · ");
}

/** @param {unknown} cached */
function fromCache(cached) {
  return cached === true ? gettext("from the cache") : null;
}

/** A long conversation is sent without its beginning. @param {Record<string, unknown>} usage */
function leftOut({ left_out: messages, summarised }) {
  if (typeof messages !== "number" || messages < 1) return null;
  const number = messages.toLocaleString(locale());
  if (summarised === true) return interpolate(ngettext("%(number)s earlier message summarised", "%(number)s earlier messages summarised", messages), { number });
  return interpolate(ngettext("without %(number)s earlier message", "without %(number)s earlier messages", messages), { number });
}

/** @param {number} tokens */
function tokenCount(tokens) {
  const number = tokens.toLocaleString(locale());
  return interpolate(ngettext("%(number)s token", "%(number)s tokens", tokens), { number });
}
