import assert from "node:assert/strict";
import { afterEach, mock, test } from "node:test";

import { ConversationClient } from "../../static/js/conversation_client.js";
import { FakeNetwork } from "./fake_socket.js";

const KEPT = 4;

afterEach(() => mock.timers.reset());

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

test("conversations that began in this tab are forgotten like those that were opened", () => {
  const { client, network } = connected();
  for (let at = 0; at <= KEPT; at += 1) {
    client.show(null);
    client.submit({ conversation: null, parent: null, text: "Hi" });
    const { id } = network.socket.last("message.submit");
    network.socket.say({ type: "ack", id, conversation: `c${at}`, message: `q${at}`, reply: `a${at}`, generation: `g${at}` });
  }
  assert.equal(client.store.treeOf("c0"), undefined);
  assert.equal(client.store.snapshots.has("g0"), false);
  assert.equal(client.store.snapshots.has(`g${KEPT}`), true);
});

test("what other tabs say to conversations that are not shown here fills nothing", () => {
  const { client, network } = connected();
  client.show("open");
  const elsewhere = Array.from({ length: 2 * KEPT }, (_, at) => `e${at}`);
  for (const conversation of ["open", ...elsewhere]) {
    network.socket.say({ type: "message.created", message: answer(conversation) });
  }
  assert.equal(client.store.messagesOf("open").length, 1);
  assert.equal(client.store.snapshots.size, KEPT + 1);
  assert.ok(elsewhere.every((id) => client.store.conversations.has(id)));
});

function connected() {
  // A line that is up has a clock of its own.
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  const network = new FakeNetwork();
  const client = new ConversationClient({ create: network.create, emit: () => {}, load: async () => null });
  client.connection.connect();
  network.socket.accept();
  return { client, network };
}
