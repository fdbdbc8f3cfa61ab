// What a generation is busy with, in the page's language where it is something of ours. Tools speak
// for themselves.

import { refusalText, waitingText } from "./approval.js";
import { gettext, interpolate } from "./gettext.js";

/**
 * @param {{label?: string, data?: unknown, approval?: Approval}} event
 * @returns {string}
 */
export function progressText({ label = "", data, approval }) {
  if (approval !== undefined) return approval === "asked" ? waitingText() : approvedText(approval);
  const values = /** @type {Record<string, string>} */ (data ?? {});
  switch (values.kind) {
    case "fallback": return interpolate(gettext("%(model)s answers in place of %(in_place_of)s"), values);
    case "place": return gettext("Waiting for a free place at the model");
    case "summary": return gettext("Summarising earlier messages");
    case "thinking": return gettext("Thinking");
    case "fetch_page": return interpolate(gettext("Fetching %(host)s"), values);
    case "read_attachment": return interpolate(gettext("Reading %(name)s"), values);
    case "search_conversations": return gettext("Searching your conversations");
    default: return label;
  }
}

/** @param {Approval} approval */
function approvedText(approval) {
  return approval === "approved" ? gettext("Running") : refusalText(approval);
}
