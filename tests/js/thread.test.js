import assert from "node:assert/strict";
import { test } from "node:test";

import { ConversationClient } from "../../static/js/conversation_client.js";
import { Thread } from "../../static/js/thread.js";
import { FakeNetwork } from "./fake_socket.js";

/** @param {string} id @param {string | null} parent @param {Status} [status] @returns {Message} */
function message(id, parent, status) {
  const generation = status === undefined ? null : {
    id: `g-${id}`, status, attempt: 1, seq: 9, model: null, error: null, usage: {}, timings: {},
  };
  return {
    id, parent, conversation: "c", role: generation ? "assistant" : "user",
    content: [], created_at: "2026-01-01T00:00:00Z", generation,
  };
}

/** @param {Message[]} messages */
function threadOf(messages) {
  const client = new ConversationClient({ create: new FakeNetwork().create, emit: () => {}, load: async () => null });
  client.open = "c";
  for (const one of messages) client.store.addMessage(one);
  return { client, thread: new Thread(client, []) };
}

/** @param {Thread} thread */
const shown = (thread) => thread.items().map((item) => item.message.id);

const PAIR = [message("q", null), message("a", "q", "completed"), message("b", "q", "failed")];

test("the newest answer is shown, and the older one when it is chosen", () => {
  const { thread } = threadOf(PAIR);
  assert.deepEqual(shown(thread), ["q", "b"]);
  thread.choose("a");
  assert.deepEqual(shown(thread), ["q", "a"]);
  thread.chooseNewest("q");
  assert.deepEqual(shown(thread), ["q", "b"]);
});

test("an item knows its place among its versions", () => {
  const { thread } = threadOf(PAIR);
  assert.deepEqual(thread.items().at(-1)?.siblings, { index: 1, ids: ["a", "b"] });
});

test("a branch is quiet when nothing runs on it", () => {
  const { thread } = threadOf([message("q", null), message("a", "q", "completed")]);
  assert.deepEqual(thread.items().map((item) => item.quiet), [true, true]);
  assert.equal(thread.isRunning, false);
});

test("a running answer at the end makes the branch busy", () => {
  const { thread } = threadOf([message("q", null), message("a", "q", "in_progress")]);
  thread.items();
  assert.equal(thread.isRunning, true);
  assert.equal(thread.itemOf("g-a")?.quiet, false);
});

test("an edit on its way hides what it replaces", () => {
  const { client, thread } = threadOf([...PAIR, message("q2", "b"), message("a2", "q2", "completed")]);
  client.submit({ conversation: "c", parent: "b", text: "better" });
  assert.deepEqual(shown(thread), ["q", "b"]);
});

test("a new message on its way hides nothing", () => {
  const { client, thread } = threadOf(PAIR);
  client.submit({ conversation: "c", parent: "b", text: "more" });
  assert.deepEqual(shown(thread), ["q", "b"]);
});
