import assert from "node:assert/strict";
import { test } from "node:test";

import { choicesFor, shownPath, siblingsOf } from "../../static/js/tree.js";

// q1 ─ a1 ─ q2 ─ a2
//    │     └ q3 ─ a3
//    └ b1
const messages = [
  { id: "q1", parent: null }, { id: "a1", parent: "q1" }, { id: "q2", parent: "a1" },
  { id: "a2", parent: "q2" }, { id: "q3", parent: "a1" }, { id: "a3", parent: "q3" },
  { id: "b1", parent: "q1" },
];

/** @param {Map<string | null, string>} chosen */
const ids = (chosen) => shownPath(messages, chosen).map((message) => message.id);

test("the newest versions are shown", () => {
  assert.deepEqual(ids(new Map()), ["q1", "b1"]);
});

test("a choice at one fork leaves the newest at the next", () => {
  assert.deepEqual(ids(new Map([["q1", "a1"]])), ["q1", "a1", "q3", "a3"]);
});

test("choices at every fork lead to the old end", () => {
  assert.deepEqual(ids(new Map([["q1", "a1"], ["a1", "q2"]])), ["q1", "a1", "q2", "a2"]);
});

test("a choice that is gone counts as none", () => {
  assert.deepEqual(ids(new Map([["q1", "gone"]])), ["q1", "b1"]);
});

test("no message, no path", () => {
  assert.deepEqual(shownPath([], new Map()), []);
});

test("two first messages are versions of each other", () => {
  const two = [{ id: "x", parent: null }, { id: "y", parent: null }];
  assert.deepEqual(shownPath(two, new Map([[null, "x"]])).map((one) => one.id), ["x"]);
});

test("a loop in broken data ends", () => {
  const loop = [{ id: "x", parent: null }, { id: "y", parent: "x" }, { id: "x", parent: "y" }];
  assert.deepEqual(shownPath(loop, new Map()).map((one) => one.id), ["x", "y", "x"]);
});

test("siblings are the versions in order of creation", () => {
  assert.deepEqual(siblingsOf(messages, "q3"), { index: 1, ids: ["q2", "q3"] });
  assert.deepEqual(siblingsOf(messages, "a2"), { index: 0, ids: ["a2"] });
  assert.deepEqual(siblingsOf(messages, "gone"), { index: -1, ids: [] });
});

test("choosing a message opens the whole way to it", () => {
  assert.deepEqual(ids(choicesFor(messages, "a2")), ["q1", "a1", "q2", "a2"]);
});
