// What is said below an answer that is not simply there.

import { failureText } from "./failures.js";
import { gettext, interpolate, locale, ngettext } from "./gettext.js";

/** @typedef {{kind: "none" | "waiting" | "busy" | "stopped" | "failed", text: string}} StatusLine */

/**
 * @param {Snapshot} snapshot
 * @param {Note | undefined} note
 * @param {boolean} waitedLong
 * @returns {StatusLine}
 */
export function statusLine(snapshot, note, waitedLong) {
  switch (snapshot.status) {
    case "completed": return { kind: "none", text: "" };
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
  if (snapshot.content.length > 0) return { kind: "none", text: "" };
  if (note?.position) return { kind: "waiting", text: interpolate(gettext("Number %(position)s in the queue"), { position: note.position }) };
  return { kind: "waiting", text: waitedLong ? gettext("Still waiting for the model") : "" };
}

/** @param {Snapshot} snapshot */
export function wasStartedAgain(snapshot) {
  return snapshot.attempt > 1 && snapshot.status === "in_progress";
}

/** @param {Snapshot} snapshot @param {ModelChoice[]} models @returns {string} */
export function metaLine(snapshot, models) {
  const label = models.find((model) => model.slug === snapshot.model)?.label ?? snapshot.model;
  const tokens = snapshot.usage.output_tokens;
  const parts = [label, typeof tokens === "number" && tokens > 0 ? tokenCount(tokens) : null];
  return parts.filter(Boolean).join(" · ");
}

/** @param {number} tokens */
function tokenCount(tokens) {
  const number = tokens.toLocaleString(locale());
  return interpolate(ngettext("%(number)s token", "%(number)s tokens", tokens), { number });
}
