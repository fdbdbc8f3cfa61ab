import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { GapError, apply, comparePositions, fresh, hasEnded, replace } from "../../static/js/snapshot.js";

/** @type {{name: string, snapshot: Snapshot, events: StreamEvent[], expect?: Snapshot, error?: string}[]} */
const cases = JSON.parse(readFileSync(new URL("../cases/apply.json", import.meta.url), "utf8"));

for (const { name, snapshot, events, expect, error } of cases) {
  test(`apply: ${name}`, () => {
    const before = structuredClone(snapshot);
    const run = () => events.reduce(apply, snapshot);
    if (error) assert.throws(run, GapError);
    else assert.deepEqual(run(), expect);
    assert.deepEqual(snapshot, before, "the snapshot that came in was changed");
  });
}

test("blocks that an event does not touch stay the same objects", () => {
  const reasoning = /** @type {Block} */ ({ type: "reasoning", reasoning: "hm" });
  const snapshot = { ...fresh("g", "m"), attempt: 1, seq: 2, content: [reasoning] };
  const next = apply(snapshot, { type: "text.delta", generation: "g", attempt: 1, seq: 3, text: "a" });
  assert.equal(next.content[0], reasoning);
});

test("a gap says what was expected and what came", () => {
  const event = /** @type {StreamEvent} */ ({ type: "text.delta", generation: "g", attempt: 2, seq: 7, text: "" });
  assert.throws(() => apply(fresh("g", "m"), event), /follows \(0, 0\), got text\.delta at \(2, 7\)/);
});

test("positions are compared by attempt, then by seq", () => {
  assert.ok(comparePositions({ attempt: 1, seq: 90 }, { attempt: 2, seq: 1 }) < 0);
  assert.ok(comparePositions({ attempt: 2, seq: 10 }, { attempt: 2, seq: 9 }) > 0);
  assert.equal(comparePositions({ attempt: 2, seq: 9 }, { attempt: 2, seq: 9 }), 0);
});

test("a newer snapshot frame replaces everything", () => {
  const old = { ...fresh("g", "m"), attempt: 1, seq: 4, model: "demo" };
  const frame = /** @type {SnapshotFrame} */ ({
    type: "snapshot", generation: "g", message: "m", attempt: 1, seq: 9, status: "failed",
    content: [{ type: "text", text: "all" }], error: { code: "x", message: "No.", retryable: true },
  });
  const { type: _type, ...rest } = frame;
  assert.deepEqual(replace(old, frame), { ...rest, model: "demo", usage: {}, timings: {}, finish_reason: null });
});

test("an older snapshot frame is dropped", () => {
  const known = { ...fresh("g", "m"), attempt: 2, seq: 1 };
  const frame = /** @type {SnapshotFrame} */ ({
    type: "snapshot", generation: "g", message: "m", attempt: 1, seq: 99, status: "in_progress", content: [],
  });
  assert.equal(replace(known, frame), known);
});

test("completed, failed and cancelled are ends", () => {
  const statuses = /** @type {Status[]} */ (["queued", "in_progress", "completed", "failed", "cancelled"]);
  assert.deepEqual(statuses.map((status) => hasEnded({ status })), [false, false, true, true, true]);
});
