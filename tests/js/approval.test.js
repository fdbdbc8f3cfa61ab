import assert from "node:assert/strict";
import { test } from "node:test";

import { isAsked, questionSaid } from "../../static/js/approval.js";
import { noteAfter } from "../../static/js/notes.js";
import { apply, fresh } from "../../static/js/snapshot.js";
import { stateText } from "../../static/js/tool_view.js";

const at = { generation: "g", attempt: 1 };
const events = /** @type {StreamEvent[]} */ ([
  { ...at, seq: 1, type: "generation.started" },
  { ...at, seq: 2, type: "tool_call.started", tool_call: "t", name: "send", args: "{}" },
  { ...at, seq: 3, type: "progress", tool_call: "t", label: "Waiting for approval", approval: "asked" },
]);
const asked = events.reduce(apply, fresh("g", "m"));
const calls = {};

/** @param {Snapshot} snapshot @param {boolean} running */
function stateOf({ content: [block] }, running) {
  return stateText(/** @type {ToolCallBlock} */ (block), { calls, running });
}

/** @param {Approval} approval */
function after(approval) {
  const said = /** @type {StreamEvent} */ ({ ...at, seq: 4, type: "progress", tool_call: "t", label: "", approval });
  const end = /** @type {StreamEvent} */ ({ ...at, seq: 5, type: "tool_call.finished", tool_call: "t", name: "send", args: "{}", error: "No." });
  return [said, end].reduce(apply, asked);
}

test("a call that asks waits for its user, and those who only hear are told", () => {
  assert.equal(stateOf(asked, true), "Waiting for you");
  assert.equal(questionSaid(asked), "Waiting for your approval: Send");
  assert.equal(noteAfter(undefined, /** @type {StreamEvent} */ (events[2]))?.calls?.t, "Waiting for you");
});

test("nobody is asked about an answer that has ended", () => {
  const ended = { ...asked, status: /** @type {const} */ ("cancelled") };
  assert.equal(isAsked(/** @type {Block} */ (ended.content[0]), false), false);
  assert.equal(questionSaid(ended), "");
  assert.equal(stateOf(ended, false), "Stopped");
});

test("what was decided is said of the call", () => {
  assert.equal(stateOf(after("refused"), true), "Refused");
  assert.equal(stateOf(after("expired"), false), "Not approved in time");
  assert.equal(stateOf(after("approved"), true), "Failed");
  assert.equal(questionSaid(after("approved")), "");
});
