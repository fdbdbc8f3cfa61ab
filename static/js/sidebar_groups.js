// Which conversation stands where in the sidebar.

import { groupByAge } from "./ages.js";

/** @typedef {import("./ages.js").Group} Group */

/**
 * @param {Conversation[]} conversations newest first
 * @param {Folder[]} folders
 * @param {boolean} archive the archive instead of the list
 * @param {Date} now
 * @returns {{pinned: Group[], folders: {folder: Folder, members: Conversation[]}[], aged: Group[]}}
 */
export function arrange(conversations, folders, archive, now) {
  if (archive) {
    const archived = conversations.filter((one) => one.archived).map((one) => ({ ...one, pinned: false }));
    return { pinned: [], folders: [], aged: groupByAge(archived, now) };
  }
  const shown = conversations.filter((one) => !one.archived);
  /** @type {Map<string, Conversation[]>} */
  const inFolder = new Map(folders.map((folder) => [folder.id, []]));
  const rest = shown.filter((one) => {
    const members = one.pinned ? undefined : inFolder.get(one.folder ?? "");
    members?.push(one);
    return !members;
  });
  return {
    pinned: groupByAge(rest.filter((one) => one.pinned), now),
    folders: folders.map((folder) => ({ folder, members: inFolder.get(folder.id) ?? [] })),
    aged: groupByAge(rest.filter((one) => !one.pinned), now),
  };
}
