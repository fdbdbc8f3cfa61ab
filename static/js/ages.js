// Groups conversations by how long ago they were used, in the reader's own days.

import { gettext, locale } from "./gettext.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** @typedef {{label: string, members: Conversation[]}} Group */

/**
 * @param {Conversation[]} conversations newest first
 * @param {Date} now
 * @returns {Group[]} without empty ones
 */
export function groupByAge(conversations, now) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  /** @type {Map<string, Conversation[]>} */
  const groups = new Map([[gettext("Pinned"), []]]);
  for (const conversation of conversations) {
    const label = conversation.pinned ? gettext("Pinned") : ageOf(new Date(conversation.updated_at), now, midnight);
    const members = groups.get(label);
    if (members) members.push(conversation);
    else groups.set(label, [conversation]);
  }
  return [...groups].map(([label, members]) => ({ label, members })).filter(({ members }) => members.length > 0);
}

/** @param {Date} at @param {Date} now @param {number} midnight that began today */
function ageOf(at, now, midnight) {
  const time = at.getTime();
  if (time >= midnight) return gettext("Today");
  if (time >= midnight - DAY_MS) return gettext("Yesterday");
  if (time >= midnight - 7 * DAY_MS) return gettext("Last 7 days");
  if (time >= midnight - 30 * DAY_MS) return gettext("Last 30 days");
  if (at.getFullYear() < now.getFullYear()) return String(at.getFullYear());
  const month = at.toLocaleDateString(locale(), { month: "long" });
  return month.charAt(0).toLocaleUpperCase(locale()) + month.slice(1);
}
