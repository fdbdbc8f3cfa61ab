import assert from "node:assert/strict";
import { test } from "node:test";

import { ConversationClient } from "../../static/js/conversation_client.js";
import { FakeNetwork } from "./fake_socket.js";

const KEPT = 4;

/** An answer alone. @param {string} conversation @returns {Message} */
function answer(conversation) {
  return {
    id: `a-${conversation}`, parent: null, conversation, role: "assistant", content: [], created_at: "2026-01-01T00:00:00Z",
    generation: { id: `g-${conversation}`, status: "completed", attempt: 1, seq: 9, model: null, error: null, usage: {}, timings: {} },
  };
}

/** @param {number} count of conversations, shown one after the other */
function storeAfter(count) {
  const { store } = new ConversationClient({ create: new FakeNetwork().create, emit: () => {}, load: async () => null });
  const ids = Array.from({ length: count }, (_, at) => `c${at}`);
  for (const id of ids) {
    store.addMessage(answer(id));
    store.keep(id);
  }
  return { store, ids };
}

test("the messages of the conversations that were shown last are kept", () => {
  const { store, ids } = storeAfter(KEPT);
  assert.ok(ids.every((id) => store.treeOf(id) && store.snapshots.has(`g-${id}`)));
});

test("of one that was shown longer ago nothing stays", () => {
  const { store } = storeAfter(KEPT + 1);
  assert.equal(store.treeOf("c0"), undefined);
  assert.equal(store.snapshots.has("g-c0"), false);
  assert.equal(store.snapshots.has("g-c1"), true);
});

test("one that is shown again is not the oldest any more", () => {
  const { store } = storeAfter(KEPT);
  store.keep("c0");
  store.addMessage(answer("new"));
  store.keep("new");
  assert.ok(store.treeOf("c0"));
  assert.equal(store.treeOf("c1"), undefined);
});
