import assert from "node:assert/strict";
import { test } from "node:test";

import { offersRest, statusLine } from "../../static/js/status_line.js";
import { fresh } from "../../static/js/snapshot.js";
import { Store } from "../../static/js/store.js";

/** @type {Block[]} */
const words = [{ type: "text", text: "So far" }];

/** @param {Partial<Snapshot>} changed @returns {Snapshot} */
function ended(changed) {
  return { ...fresh("g", "m"), status: "completed", content: words, ...changed };
}

test("the rest is offered of an answer that was cut, and of no other", () => {
  assert.equal(offersRest(ended({ finish_reason: "length" })), true);
  assert.equal(offersRest(ended({ status: "cancelled" })), true);
  assert.equal(offersRest(ended({ status: "failed" })), true);
  assert.equal(offersRest(ended({ finish_reason: "stop" })), false);
  assert.equal(offersRest(ended({ finish_reason: "content_filter" })), false);
  assert.equal(offersRest(ended({ status: "in_progress" })), false);
  assert.equal(offersRest(ended({ status: "cancelled", content: [{ type: "reasoning", reasoning: "Hm" }] })), false);
});

test("the reader is told why an answer is short", () => {
  assert.equal(statusLine(ended({ finish_reason: "length" }), undefined, false).text, "The answer reached its length limit.");
  assert.equal(statusLine(ended({ finish_reason: "stop" }), undefined, false).kind, "none");
});

test("an answer that goes on shows at once what there is of it", () => {
  const store = new Store();
  store.addMessage({
    id: "a", conversation: "c", parent: "q", role: "assistant", content: words, created_at: "2026-01-01T00:00:00Z",
    generation: { id: "g", status: "cancelled", attempt: 1, seq: 3, model: null, error: null, usage: {}, timings: {} },
  });
  store.addRetried(
    { type: "generation.retry", id: "1", message: "a", continue: true },
    { type: "ack", id: "1", reply: "b", generation: "h" },
  );
  assert.deepEqual(store.snapshots.get("h")?.content, words);
  store.addRetried({ type: "generation.retry", id: "2", message: "a" }, { type: "ack", id: "2", reply: "d", generation: "i" });
  assert.deepEqual(store.snapshots.get("i")?.content, []);
});
