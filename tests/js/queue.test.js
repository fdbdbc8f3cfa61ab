import assert from "node:assert/strict";
import { test } from "node:test";

import { Queue } from "../../static/js/queue.js";

/** @type {import("../../static/js/queue.js").Rest} */
const AT_REST = { isBusy: false, status: "completed", path: ["q", "a"] };

/** @param {string} id @param {Partial<QueuedMessage>} [more] @returns {QueuedMessage} */
function item(id, more) {
  return { id, conversation: "c", after: "q", hurry: false, message: { text: id }, ...more };
}

/** @param {QueuedMessage[]} items */
function queueOf(items) {
  const kept = { items };
  const queue = new Queue({ load: () => kept.items, save: (now) => { kept.items = now; } });
  return { queue, kept };
}

test("the next message goes once, when the answer before it is whole", () => {
  const { queue, kept } = queueOf([item("one"), item("two")]);
  assert.equal(queue.due("c", { ...AT_REST, isBusy: true }), undefined);
  assert.equal(queue.due("c", AT_REST)?.id, "one");
  assert.equal(queue.due("c", { ...AT_REST, isBusy: true }), undefined);
  assert.deepEqual(kept.items.map(({ id }) => id), ["two"]);
  assert.equal(queue.due("c", AT_REST)?.id, "two");
  assert.equal(queue.due("c", AT_REST), undefined);
});

test("it waits where the answer failed or was stopped", () => {
  const { queue } = queueOf([item("one")]);
  assert.equal(queue.due("c", { ...AT_REST, status: "failed" }), undefined);
  assert.equal(queue.due("c", { ...AT_REST, status: "cancelled" }), undefined);
  assert.equal(queue.due("c", AT_REST)?.id, "one");
});

test("it does not go onto another branch, nor into another conversation", () => {
  const { queue } = queueOf([item("one")]);
  assert.equal(queue.due("c", { ...AT_REST, path: ["other", "b"] }), undefined);
  assert.equal(queue.due("d", AT_REST), undefined);
  assert.equal(queue.due(null, AT_REST), undefined);
});

test("one in a hurry goes first, and after a stop too", () => {
  const { queue } = queueOf([item("one"), item("two")]);
  queue.hurry("two");
  assert.equal(queue.due("c", { ...AT_REST, isBusy: true, status: "in_progress" }), undefined);
  assert.equal(queue.due("c", { ...AT_REST, status: "cancelled" })?.id, "two");
  assert.equal(queue.due("c", { ...AT_REST, status: "cancelled" }), undefined);
});

test("what was written behind the first message goes where that one went", () => {
  const { queue, kept } = queueOf([item("one", { conversation: null, after: null })]);
  assert.equal(queue.of("c").length, 0);
  queue.adopt("c");
  assert.equal(queue.of("c").length, 1);
  assert.deepEqual(kept.items, [item("one", { after: null })]);
});

test("what was taken out is gone over a reload", () => {
  const { queue, kept } = queueOf([item("one"), item("two")]);
  assert.equal(queue.take("one")?.message.text, "one");
  assert.equal(queue.take("one"), undefined);
  assert.deepEqual(queueOf(kept.items).queue.of("c").map(({ id }) => id), ["two"]);
});
