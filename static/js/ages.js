// Groups conversations by how long ago they were used, in the reader's own days.

import { gettext } from "./gettext.js";

const DAY_MS = 24 * 60 * 60 * 1000;

/** @typedef {{label: string, members: Conversation[]}} Group */

/**
 * @param {Conversation[]} conversations newest first
 * @param {Date} now
 * @returns {Group[]} without empty ones
 */
export function groupByAge(conversations, now) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const groups = [
    gettext("Pinned"), gettext("Today"), gettext("Yesterday"), gettext("Last 7 days"), gettext("Last 30 days"), gettext("Older"),
  ].map((label) => ({ label, members: /** @type {Conversation[]} */ ([]) }));
  for (const conversation of conversations) {
    groups[conversation.pinned ? 0 : ageGroup(Date.parse(conversation.updated_at), midnight)]?.members.push(conversation);
  }
  return groups.filter((group) => group.members.length > 0);
}

/** @param {number} time @param {number} midnight that began today */
function ageGroup(time, midnight) {
  if (time >= midnight) return 1;
  if (time >= midnight - DAY_MS) return 2;
  if (time >= midnight - 7 * DAY_MS) return 3;
  if (time >= midnight - 30 * DAY_MS) return 4;
  return 5;
}
