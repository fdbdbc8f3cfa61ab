// What is known of a generation beside its snapshot: what it is busy with. It goes with the next event.

import { progressText } from "./progress.js";

/**
 * @param {Note | undefined} note
 * @param {StreamEvent} event
 * @returns {Note | undefined}
 */
export function noteAfter(note, event) {
  const { calls = {} } = note ?? {};
  if (event.type === "progress" && event.label) {
    const said = progressText(event);
    // Tools run side by side: what one says of itself is not said of the others.
    if (event.tool_call) return { ...note, calls: { ...calls, [event.tool_call]: said } };
    return { ...note, label: said };
  }
  if (event.type !== "tool_call.finished") return undefined;
  const others = Object.entries(calls).filter(([id]) => id !== event.tool_call);
  return others.length > 0 ? { calls: Object.fromEntries(others) } : undefined;
}

/** What was said last, for those who hear it. @param {Note | undefined} note */
export function lastSaid(note) {
  return note?.label ?? Object.values(note?.calls ?? {}).at(-1) ?? "";
}
