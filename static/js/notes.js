// What is known of a generation beside its snapshot: what it is busy with, which goes with the next event, and
// who answers in whose place, which stays.

import { progressText } from "./progress.js";

/**
 * @param {Note | undefined} note
 * @param {StreamEvent} event
 * @returns {Note | undefined}
 */
export function noteAfter(note, event) {
  const { calls = {}, standIn } = note ?? {};
  if (event.type === "progress" && event.label) {
    const said = progressText(event);
    if (isStandIn(event.data)) return { ...note, label: said, standIn: said };
    // Tools run side by side: what one says of itself is not said of the others.
    if (event.tool_call) return { ...note, calls: { ...calls, [event.tool_call]: said } };
    return { ...note, label: said };
  }
  const rest = standIn && event.type !== "generation.started" ? { standIn } : undefined;
  if (event.type !== "tool_call.finished") return rest;
  const others = Object.entries(calls).filter(([id]) => id !== event.tool_call);
  return others.length > 0 ? { ...rest, calls: Object.fromEntries(others) } : rest;
}

/** @param {unknown} data of a step */
function isStandIn(data) {
  return /** @type {{kind?: string} | undefined} */ (data)?.kind === "fallback";
}

/** What was said last, for those who hear it. @param {Note | undefined} note */
export function lastSaid(note) {
  return note?.label ?? Object.values(note?.calls ?? {}).at(-1) ?? "";
}
