import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { ConversationClient } from "../../static/js/conversation_client.js";
import { FakeNetwork } from "./fake_socket.js";

/** @type {FakeNetwork} */ let network;
/** @type {Change[]} */ let changes;
/** @type {ConversationClient} */ let client;
/** @type {PageData} */ let nextPage;
/** @type {(string | null)[]} */ let loads;

const STARTED = { type: "generation.started", conversation: "c", generation: "g", message: "a", attempt: 1, seq: 1, model: "demo" };
const USER = { id: "q", conversation: "c", parent: null, role: "user", content: [{ type: "text", text: "Hi" }], created_at: "2026-01-01T00:00:00Z", generation: null };

/** @param {number} seq @param {string} text */
const delta = (seq, text) => ({ type: "text.delta", generation: "g", attempt: 1, seq, text });

/** @param {Partial<GenerationData>} generation @param {Block[]} content @returns {Message} */
function answer(generation, content) {
  return {
    ...USER, id: "a", parent: "q", role: "assistant", content,
    generation: { id: "g", status: "in_progress", attempt: 1, seq: 0, model: null, error: null, usage: {}, timings: {}, ...generation },
  };
}

/** @param {string | null} conversation @param {unknown[]} messages @returns {PageData} */
function page(conversation, messages = []) {
  return {
    user: { id: 1, name: "demo" },
    limits: { message_chars: 32000, file_mb: 20, files: 10 },
    models: [],
    conversations: [],
    next: null,
    folders: [],
    conversation: conversation === null ? null : { id: conversation, title: "", pinned: false, archived: false, folder: null, temporary: false, expires_at: null, model: null, settings: { system_prompt: "", temperature: null, tools: null } },
    messages: /** @type {Message[]} */ (messages),
    newer: [],
    latest: /** @type {Message[]} */ (messages).at(-1)?.id ?? null,
    message: null,
  };
}

/** @param {OutboxStorage} [storage] */
function make(storage) {
  return new ConversationClient({
    create: network.create,
    emit: (change) => changes.push(change),
    load: async (conversation) => {
      loads.push(conversation);
      return nextPage;
    },
    random: () => 1,
    ...(storage && { storage }),
  });
}

/** A line that is up, on conversation c, with an answer that has started. */
function follow() {
  client.start(page("c", [USER, answer({}, [])]));
  network.socket.accept();
  acknowledge("resume", { conversation: "c", active: ["g"] });
  network.socket.say(STARTED);
}

/** @param {string} type @param {object} fields */
function acknowledge(type, fields = {}) {
  network.socket.say({ type: "ack", id: network.socket.last(type).id, ...fields });
}

/** @param {string} type @param {object} fields */
function refuse(type, fields) {
  network.socket.say({ type: "error", id: network.socket.last(type).id, code: "no", message: "No.", ...fields });
}

const SUBMITTED = { conversation: "c", message: "q", reply: "a", generation: "g" };
const content = () => client.store.snapshots.get("g")?.content;
const kinds = () => changes.map((change) => change.kind);
const soon = () => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_700_000_000_000 });
  network = new FakeNetwork();
  changes = [];
  loads = [];
  nextPage = page(null);
  client = make();
});

afterEach(() => mock.timers.reset());

test("a page with a conversation resumes it, claiming nothing of a running answer's checkpoint", () => {
  client.start(page("c", [USER, answer({ seq: 40 }, [{ type: "text", text: "Half" }])]));
  network.socket.accept();
  const { conversation, positions } = network.socket.last("resume");
  assert.deepEqual([conversation, positions], ["c", { g: [0, 0] }]);
  assert.deepEqual(content(), [{ type: "text", text: "Half" }]);
});

test("a page without a conversation resumes nothing", () => {
  client.start(page(null));
  network.socket.accept();
  assert.deepEqual(network.socket.sent, []);
});

test("events are applied in order and told", () => {
  follow();
  network.socket.say(delta(2, "Hel"));
  network.socket.say(delta(3, "lo"));
  assert.deepEqual(content(), [{ type: "text", text: "Hello" }]);
  assert.deepEqual(changes.at(-1), { kind: "generation", generation: "g", conversation: "c", event: "text.delta" });
});

test("events that come twice are applied once", () => {
  follow();
  for (const seq of [2, 2, 3, 2, 3]) network.socket.say(delta(seq, `${seq}`));
  assert.deepEqual(content(), [{ type: "text", text: "23" }]);
});

test("a conversation is at rest with its answer, even if nobody says so of the conversation", () => {
  follow();
  network.socket.say({ type: "conversation.updated", conversation: "c", active: ["g", "other"] });
  network.socket.say({ type: "generation.completed", generation: "g", attempt: 1, seq: 2 });
  assert.deepEqual(client.store.conversations.get("c")?.active, ["other"]);
});

test("the line drops, events happen, and resume brings exactly the rest", () => {
  follow();
  network.socket.say(delta(2, "1 2 "));
  network.socket.drop(1006);
  mock.timers.tick(250);
  network.socket.accept();
  assert.deepEqual(network.socket.last("resume").positions, { g: [1, 2] });
  acknowledge("resume", { conversation: "c", active: ["g"] });
  for (const seq of [3, 4, 5]) network.socket.say(delta(seq, `${seq} `));
  network.socket.say(delta(6, "live"));
  assert.deepEqual(content(), [{ type: "text", text: "1 2 3 4 5 live" }]);
});

test("a gap asks once, whatever comes after it", () => {
  follow();
  const before = network.socket.ofType("resume").length;
  for (const seq of [4, 5, 6]) network.socket.say(delta(seq, `${seq}`));
  assert.equal(network.socket.ofType("resume").length, before + 1);
  assert.deepEqual(network.socket.last("resume").positions, { g: [1, 1] });
  assert.deepEqual(content(), []);
});

test("a resume that is not answered is asked again after 3 s, with what is known by then", () => {
  follow();
  network.socket.say(delta(3, "late"));
  network.socket.say(delta(2, "a"));
  mock.timers.tick(3_000);
  assert.deepEqual(network.socket.last("resume").positions, { g: [1, 2] });
});

test("a gap that stays after the ack is asked again", () => {
  follow();
  network.socket.say(delta(4, "x"));
  acknowledge("resume", { conversation: "c", active: ["g"] });
  const before = network.socket.ofType("resume").length;
  mock.timers.tick(3_000);
  assert.equal(network.socket.ofType("resume").length, before + 1);
});

test("a gap that was filled is not asked again", () => {
  follow();
  network.socket.say(delta(4, "x"));
  acknowledge("resume", { conversation: "c", active: ["g"] });
  for (const seq of [2, 3, 4]) network.socket.say(delta(seq, "."));
  const before = network.socket.ofType("resume").length;
  mock.timers.tick(10_000);
  assert.equal(network.socket.ofType("resume").length, before);
});

test("a snapshot fills a gap, and events go on from it", () => {
  follow();
  network.socket.say(delta(9, "x"));
  acknowledge("resume", { conversation: "c", active: ["g"] });
  network.socket.say({ type: "snapshot", generation: "g", message: "a", attempt: 1, seq: 9, status: "in_progress", content: [{ type: "text", text: "nine" }] });
  network.socket.say(delta(10, " ten"));
  assert.deepEqual(content(), [{ type: "text", text: "nine ten" }]);
  mock.timers.tick(3_000);
  assert.equal(network.socket.ofType("resume").length, 2);
});

test("a snapshot may come unasked, and an old one is dropped", () => {
  follow();
  const frame = { type: "snapshot", generation: "g", message: "a", attempt: 2, seq: 3, status: "in_progress", content: [{ type: "text", text: "new" }] };
  network.socket.say(frame);
  network.socket.say({ ...frame, attempt: 1, seq: 50, content: [] });
  assert.deepEqual(content(), [{ type: "text", text: "new" }]);
  assert.equal(network.socket.ofType("resume").length, 1);
});

test("a long silence while an answer is expected asks whether something was lost", () => {
  follow();
  mock.timers.tick(14_000);
  network.socket.say({ type: "pong" });
  mock.timers.tick(1_000);
  assert.equal(network.socket.ofType("resume").length, 2);
});

test("silence after the end asks nothing", () => {
  follow();
  network.socket.say({ type: "generation.completed", generation: "g", attempt: 1, seq: 2, usage: {}, timings: {} });
  for (let round = 0; round < 6; round += 1) {
    mock.timers.tick(10_000);
    network.socket.say({ type: "pong" });
  }
  assert.equal(network.socket.ofType("resume").length, 1);
});

test("a resume that is refused for now is asked again when the server said", () => {
  client.start(page("c"));
  network.socket.accept();
  refuse("resume", { retryable: true, retry_after: 5 });
  mock.timers.tick(4_999);
  assert.equal(network.socket.ofType("resume").length, 1);
  mock.timers.tick(1);
  assert.equal(network.socket.ofType("resume").length, 2);
});

test("a conversation that cannot be resumed is missing", () => {
  client.start(page("c"));
  network.socket.accept();
  refuse("resume", { code: "not_found", retryable: false });
  assert.deepEqual(changes.at(-1), { kind: "missing", conversation: "c" });
  mock.timers.tick(60_000);
  assert.equal(network.socket.ofType("resume").length, 1);
});

test("any other refusal of a resume is told, and the conversation stays", () => {
  client.start(page("c"));
  network.socket.accept();
  refuse("resume", { code: "bad_command", message: "No.", retryable: false });
  assert.deepEqual(changes.at(-1), { kind: "trouble", message: "No." });
  assert.equal(client.open, "c");
});

test("an answer that ended before the page was connected is shown whole", () => {
  client.start(page("c", [USER, answer({ status: "queued" }, [])]));
  network.socket.accept();
  assert.deepEqual(network.socket.last("resume").positions, { g: [0, 0] });
  acknowledge("resume", { conversation: "c", active: [] });
  network.socket.say({
    type: "snapshot", generation: "g", message: "a", attempt: 1, seq: 4, status: "completed",
    content: [{ type: "text", text: "All" }],
  });
  assert.deepEqual(content(), [{ type: "text", text: "All" }]);
  assert.deepEqual(client.store.running("c"), []);
});

test("an active generation that is not known here makes the page's data be read again", async () => {
  client.start(page("c", [USER]));
  network.socket.accept();
  nextPage = page("c", [USER, answer({}, [])]);
  acknowledge("resume", { conversation: "c", active: ["g"] });
  await soon();
  assert.deepEqual(loads, ["c"]);
  assert.deepEqual(client.store.messagesOf("c").map((message) => message.id), ["q", "a"]);
});

test("after the line was down the page's data is read again, and shown text does not go back", async () => {
  follow();
  network.socket.say(delta(2, "newer"));
  nextPage = page("c", [USER, answer({ seq: 1 }, [])]);
  network.socket.drop(1012);
  mock.timers.tick(250);
  network.socket.accept();
  await soon();
  assert.deepEqual(loads, ["c"]);
  assert.deepEqual(content(), [{ type: "text", text: "newer" }]);
});

test("an end that nobody published is learnt from the page's data", async () => {
  follow();
  nextPage = page("c", [USER, answer({ status: "failed", seq: 1 }, [{ type: "text", text: "part" }])]);
  network.socket.drop(1012);
  mock.timers.tick(250);
  network.socket.accept();
  await soon();
  assert.equal(client.store.snapshots.get("g")?.status, "failed");
});

test("a message in a new conversation opens it at the ack", () => {
  client.start(page(null));
  network.socket.accept();
  client.submit({ conversation: null, parent: null, text: "Hi" });
  acknowledge("message.submit", SUBMITTED);
  assert.equal(client.open, "c");
  assert.deepEqual(client.pending, []);
  assert.ok(kinds().includes("opened"));
  assert.deepEqual(client.store.messagesOf("c").map(({ id, parent, role }) => [id, parent, role]),
    [["q", null, "user"], ["a", "q", "assistant"]]);
});

test("message.created after the ack adds nothing twice", () => {
  client.start(page(null));
  network.socket.accept();
  client.submit({ conversation: null, parent: null, text: "Hi" });
  acknowledge("message.submit", SUBMITTED);
  network.socket.say(STARTED);
  network.socket.say(delta(2, "yes"));
  network.socket.say({ type: "message.created", conversation: "c", message: answer({ status: "queued", attempt: 0 }, []) });
  assert.equal(client.store.messagesOf("c").length, 2);
  assert.deepEqual(content(), [{ type: "text", text: "yes" }]);
});

test("a message written without a line is kept, and sent once when the line is there", () => {
  client.start(page("c"));
  client.submit({ conversation: "c", parent: null, text: "Hi" });
  assert.equal(client.pending.length, 1);
  assert.equal(client.pending[0]?.sent, false);
  network.socket.accept();
  assert.equal(network.socket.ofType("message.submit").length, 1);
  acknowledge("message.submit", SUBMITTED);
  mock.timers.tick(60_000);
  assert.equal(network.sockets.flatMap((socket) => socket.ofType("message.submit")).length, 1);
});

test("a message whose ack was lost is sent again with the same ids", () => {
  client.start(page("c"));
  network.socket.accept();
  client.submit({ conversation: "c", parent: null, text: "Hi" });
  const first = network.socket.last("message.submit");
  network.socket.drop(1006);
  mock.timers.tick(250);
  network.socket.accept();
  assert.deepEqual(network.socket.last("message.submit"), first);
});

test("messages without an answer outlive a reload of the page", () => {
  /** @type {SubmitCommand[]} */ let kept = [];
  const storage = { load: () => kept, save: (/** @type {SubmitCommand[]} */ commands) => { kept = commands; } };
  make(storage).submit({ conversation: "c", parent: null, text: "Hi" });
  client = make(storage);
  client.start(page("c"));
  network.socket.accept();
  assert.equal(network.socket.last("message.submit").text, "Hi");
  acknowledge("message.submit", SUBMITTED);
  assert.deepEqual(kept, []);
});

test("a message that is put off is sent again when the server said, and the reason is shown", () => {
  client.start(page("c"));
  network.socket.accept();
  client.submit({ conversation: "c", parent: null, text: "Hi" });
  refuse("message.submit", { retryable: true, retry_after: 3, message: "Try again shortly." });
  assert.equal(client.pending[0]?.reason, "Try again shortly.");
  mock.timers.tick(2_999);
  assert.equal(network.socket.ofType("message.submit").length, 1);
  mock.timers.tick(1);
  assert.equal(network.socket.ofType("message.submit").length, 2);
});

test("a message that is put off for a minute is given back", () => {
  client.start(page("c"));
  network.socket.accept();
  client.submit({ conversation: "c", parent: null, text: "Hi" });
  for (let tries = 0; tries < 20 && client.pending.length > 0; tries += 1) {
    refuse("message.submit", { retryable: true, message: "Busy." });
    mock.timers.tick(2_000 * 2 ** tries);
  }
  const refused = changes.find((change) => change.kind === "refused");
  assert.equal(refused?.message, "Busy.");
  assert.deepEqual(client.pending, []);
});

test("a message that is refused is given back with the sentence", () => {
  client.start(page("c"));
  network.socket.accept();
  client.submit({ conversation: "c", parent: null, text: "Hi" });
  refuse("message.submit", { retryable: false, message: "Too long." });
  const last = changes.at(-1);
  assert.equal(last?.kind, "refused");
  assert.equal(last.kind === "refused" && last.command.type === "message.submit" && last.command.text, "Hi");
});

test("stop is sent once, and is over with its ack", () => {
  follow();
  client.cancel("g");
  client.cancel("g");
  assert.equal(network.socket.ofType("generation.cancel").length, 1);
  assert.equal(client.isStopping("g"), true);
  acknowledge("generation.cancel", { generation: "g" });
  assert.equal(client.isStopping("g"), false);
});

test("retry adds a version beside the old answer", () => {
  follow();
  client.retry("a", "demo");
  assert.equal(network.socket.last("generation.retry").model, "demo");
  acknowledge("generation.retry", { reply: "b", generation: "h" });
  const added = client.store.messagesOf("c").at(-1);
  assert.deepEqual([added?.id, added?.parent, added?.generation?.id], ["b", "q", "h"]);
});

test("received is told at most twice a second", () => {
  follow();
  for (let seq = 2; seq < 102; seq += 1) {
    network.socket.say(delta(seq, "."));
    mock.timers.tick(20);
  }
  const reports = network.socket.ofType("received");
  assert.ok(reports.length >= 4 && reports.length <= 5, `${reports.length} reports in 2 s`);
  const { generation, attempt, seq } = reports.at(-1);
  assert.deepEqual([generation, attempt], ["g", 1]);
  assert.ok(seq > 70);
});

test("received is told after each 64 KiB as well", () => {
  follow();
  for (let seq = 2; seq < 12; seq += 1) network.socket.say(delta(seq, "x".repeat(33_000)));
  assert.equal(network.socket.ofType("received").length, 6);
  assert.equal(network.socket.last("received").seq, 11);
});

test("the last position is told even when nothing more comes", () => {
  follow();
  network.socket.say(delta(2, "."));
  mock.timers.tick(500);
  assert.equal(network.socket.last("received").seq, 2);
});

test("another conversation is shown: the old one is left, the new one resumed", () => {
  follow();
  client.show("d", page("d"));
  assert.equal(network.socket.last("leave").conversation, "c");
  assert.equal(network.socket.last("resume").conversation, "d");
});

test("a gap in a conversation that is not shown asks nothing", () => {
  follow();
  client.show(null);
  const before = network.socket.ofType("resume").length;
  network.socket.say(delta(7, "x"));
  assert.equal(network.socket.ofType("resume").length, before);
});

test("coming back resumes from where the answer was left", () => {
  follow();
  network.socket.say(delta(2, "a"));
  client.show(null);
  client.show("c", page("c", [USER, answer({}, [])]));
  assert.deepEqual(network.socket.last("resume").positions, { g: [1, 2] });
});

test("a message from another tab appears, with its conversation", () => {
  client.start(page(null));
  network.socket.accept();
  network.socket.say({ type: "message.created", conversation: "c", message: USER });
  assert.deepEqual(client.store.messagesOf("c").map((message) => message.id), ["q"]);
  assert.deepEqual([...client.store.conversations.keys()], ["c"]);
});

test("conversations are changed, ordered by their last change, and deleted", () => {
  client.start(page("c"));
  network.socket.accept();
  network.socket.say({ type: "conversation.updated", conversation: "c", title: "One", updated_at: "2026-01-01T00:00:00Z", active: ["g"] });
  network.socket.say({ type: "conversation.updated", conversation: "d", title: "Two", updated_at: "2026-01-02T00:00:00Z" });
  assert.deepEqual([...client.store.conversations.values()].map(({ id, title, active }) => [id, title, active]),
    [["d", "Two", []], ["c", "One", ["g"]]]);
  network.socket.say({ type: "conversation.deleted", conversation: "c" });
  assert.deepEqual([...client.store.conversations.keys()], ["d"]);
  assert.deepEqual(changes.at(-1), { kind: "missing", conversation: "c" });
});

test("a place in the queue is kept until the answer starts", () => {
  client.start(page("c", [USER]));
  network.socket.accept();
  network.socket.say({ type: "generation.queued", conversation: "c", generation: "g", message: "a", position: 3 });
  assert.deepEqual(client.store.notes.get("g"), { position: 3 });
  network.socket.say(STARTED);
  assert.equal(client.store.notes.has("g"), false);
});

test("what a graph step reports is kept until the next event", () => {
  follow();
  network.socket.say({ type: "progress", generation: "g", attempt: 1, seq: 2, label: "Reading" });
  assert.deepEqual(client.store.notes.get("g"), { label: "Reading" });
  network.socket.say(delta(3, "a"));
  assert.equal(client.store.notes.has("g"), false);
});

test("what each running tool says of itself is kept until it has finished", () => {
  follow();
  network.socket.say({ type: "progress", generation: "g", attempt: 1, seq: 2, label: "3 of 9", tool_call: "one" });
  network.socket.say({ type: "progress", generation: "g", attempt: 1, seq: 3, label: "Computing", tool_call: "two" });
  assert.deepEqual(client.store.notes.get("g"), { calls: { one: "3 of 9", two: "Computing" } });
  network.socket.say({ type: "tool_call.finished", generation: "g", attempt: 1, seq: 4, tool_call: "two", name: "run", args: "{}", result: "" });
  assert.deepEqual(client.store.notes.get("g"), { calls: { one: "3 of 9" } });
  network.socket.say({ type: "tool_call.finished", generation: "g", attempt: 1, seq: 5, tool_call: "one", name: "run", args: "{}", result: "" });
  assert.equal(client.store.notes.has("g"), false);
});

test("a frame of a kind that is not known does no harm", () => {
  follow();
  network.socket.say({ type: "weather", sky: "blue" });
  network.socket.say(delta(2, "on"));
  assert.deepEqual(content(), [{ type: "text", text: "on" }]);
});
