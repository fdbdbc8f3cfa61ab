import assert from "node:assert/strict";
import { test } from "node:test";

import { Tree } from "../../static/js/tree.js";

/** @param {string} id @param {string | null} parent @param {string[]} [siblings] @returns {Message} */
function message(id, parent, siblings) {
  const rest = { conversation: "c", role: /** @type {const} */ ("user"), content: [], created_at: "", generation: null };
  return { id, parent, ...rest, ...(siblings && { siblings }) };
}

/** @param {[string, string | null][]} messages */
function treeOf(...messages) {
  const tree = new Tree();
  for (const [id, parent] of messages) tree.add(message(id, parent));
  return tree;
}

// q1 ─ a1 ─ q2 ─ a2
//    │     └ q3 ─ a3
//    └ b1
const whole = treeOf(["q1", null], ["a1", "q1"], ["q2", "a1"], ["a2", "q2"], ["q3", "a1"], ["a3", "q3"], ["b1", "q1"]);

/** @param {Tree} tree @param {Map<string | null, string>} [chosen] @param {string | null} [anchor] */
const ids = (tree, chosen = new Map(), anchor = null) => tree.path(chosen, anchor).map((one) => one.id);

/** Messages one below the other. @param {number} from @param {number} to @returns {Message[]} */
function line(from, to) {
  return Array.from({ length: to - from }, (_, index) => {
    const number = from + index;
    return message(`m${number}`, number === 0 ? null : `m${number - 1}`);
  });
}

/** @param {number} from @param {number} to @param {number} length of the whole path @returns {MessageWindow} */
function part(from, to, length) {
  return { messages: line(from, to), newer: to < length ? [`m${to}`] : [], latest: `m${length - 1}` };
}

/** @param {number} from @param {number} to */
const names = (from, to) => line(from, to).map((one) => one.id);

test("the newest versions are shown", () => {
  assert.deepEqual(ids(whole), ["q1", "b1"]);
});

test("a choice at one fork leaves the newest at the next", () => {
  assert.deepEqual(ids(whole, new Map([["q1", "a1"]])), ["q1", "a1", "q3", "a3"]);
});

test("choices at every fork lead to the old end", () => {
  assert.deepEqual(ids(whole, new Map([["q1", "a1"], ["a1", "q2"]])), ["q1", "a1", "q2", "a2"]);
});

test("a choice that is gone counts as none", () => {
  assert.deepEqual(ids(whole, new Map([["q1", "gone"]])), ["q1", "b1"]);
});

test("no message, no path", () => {
  assert.deepEqual(ids(new Tree()), []);
});

test("two first messages are versions of each other", () => {
  assert.deepEqual(ids(treeOf(["x", null], ["y", null]), new Map([[null, "x"]])), ["x"]);
});

test("a loop in broken data ends", () => {
  const loop = treeOf(["x", "y"], ["y", "x"]);
  assert.deepEqual(ids(loop).toSorted(), ["x", "y"]);
  assert.equal(loop.endBelow("x", new Map()), "x");
});

test("siblings are the versions in order of creation", () => {
  assert.deepEqual(whole.siblingsOf(message("q3", "a1")), { index: 1, ids: ["q2", "q3"] });
  assert.deepEqual(whole.siblingsOf(message("a2", "q2")), { index: 0, ids: ["a2"] });
});

test("choosing a message opens the whole way to it", () => {
  assert.deepEqual(ids(whole, whole.choicesFor("a2")), ["q1", "a1", "q2", "a2"]);
});

test("a part of a path is shown, and grows at both ends", () => {
  const tree = new Tree();
  tree.addWindow(part(40, 60, 100));
  assert.deepEqual(ids(tree), names(40, 60));
  assert.equal(tree.goesOn("m59"), true);
  tree.addWindow(part(20, 40, 100));
  assert.deepEqual(ids(tree), names(20, 60));
  tree.addWindow(part(59, 100, 100));
  assert.deepEqual(ids(tree), names(20, 100));
  assert.equal(tree.goesOn("m99"), false);
});

test("of two parts with a hole between them the one is shown that holds the anchor", () => {
  const tree = new Tree();
  tree.addWindow(part(0, 20, 100));
  tree.addWindow(part(80, 100, 100));
  tree.end = "m99";
  assert.deepEqual(ids(tree), names(80, 100));
  assert.deepEqual(ids(tree, new Map(), "m5"), names(0, 20));
  tree.addWindow(part(20, 80, 100));
  assert.deepEqual(ids(tree, new Map(), "m5"), names(0, 100));
});

test("the end of a path is known before it is here, and moves on with new messages", () => {
  const tree = new Tree();
  tree.addWindow(part(0, 20, 100));
  assert.equal(tree.endBelow("m19", new Map()), "m99");
  tree.add(message("m100", "m99"));
  assert.equal(tree.endBelow("m19", new Map()), "m100");
  assert.deepEqual(ids(tree, new Map(), "m5"), names(0, 20));
});

test("versions that are not here count, and are not shown", () => {
  const tree = new Tree();
  const both = ["old", "new"];
  tree.addWindow({ messages: [message("q", null), message("old", "q", both)], newer: [], latest: "old" });
  assert.deepEqual(ids(tree), ["q", "old"]);
  assert.deepEqual(tree.siblingsOf(message("old", "q")), { index: 0, ids: both });
  tree.add(message("newest", "q"));
  assert.deepEqual(ids(tree), ["q", "newest"]);
  assert.deepEqual(tree.siblingsOf(message("newest", "q")), { index: 2, ids: ["old", "new", "newest"] });
});

test("a version that was made while its fork was out of sight comes after the older ones", () => {
  const tree = new Tree();
  tree.add(message("b", "q"));
  tree.addWindow({ messages: [message("q", null), message("b", "q", ["a", "b"])], newer: [], latest: "b" });
  assert.deepEqual(tree.siblingsOf(message("b", "q")), { index: 1, ids: ["a", "b"] });
});

test("another version of the first message that is here takes its place", () => {
  const tree = new Tree();
  tree.addWindow(part(40, 60, 60));
  tree.add(message("edit", "m39"));
  assert.deepEqual(ids(tree), ["edit"]);
});
