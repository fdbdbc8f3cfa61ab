import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { commandsFor, commandsWithKeys, registerCommand } from "../../static/js/commands.js";
import { ARCHIVE, ConversationLists, MAIN } from "../../static/js/conversation_lists.js";
import { Search } from "../../static/js/search.js";
import { arrange } from "../../static/js/sidebar_groups.js";
import { Store } from "../../static/js/store.js";

/** @param {string} id @param {number} hour @param {Partial<Conversation>} [more] @returns {Conversation} */
function one(id, hour, more = {}) {
  const updated_at = new Date(Date.UTC(2026, 0, 1, hour)).toISOString();
  return { id, title: id, pinned: false, archived: false, folder: null, temporary: false, updated_at, active: [], ...more };
}

/** @type {Store} */ let store;
/** @type {{path: string, answer: (page: {conversations: Conversation[], next: string | null}) => void, fail: () => void}[]} */ let asked;
/** @type {ConversationLists} */ let lists;

beforeEach(() => {
  store = new Store();
  asked = [];
  lists = new ConversationLists(store, "c1", () => {}, (_method, path) =>
    new Promise((resolve, reject) => asked.push({ path, answer: resolve, fail: () => reject(new Error("no")) })));
});

const names = () => [...store.conversations.keys()];

test("a list goes on where it ended, once for however many ask", async () => {
  const first = lists.more(MAIN);
  void lists.more(MAIN);
  assert.deepEqual(asked.map(({ path }) => path), ["/conversations?before=c1&folder=none"]);
  asked[0]?.answer({ conversations: [one("a", 2), one("b", 1)], next: null });
  await first;
  assert.deepEqual(names(), ["a", "b"]);
  assert.equal(lists.hasMore(MAIN), false);
  await lists.more(MAIN);
  assert.equal(asked.length, 1);
});

test("what could not be had can be asked for again", async () => {
  const first = lists.more(MAIN);
  asked[0]?.fail();
  await first;
  assert.equal(lists.state(MAIN).failed, true);
  void lists.more(MAIN);
  assert.equal(asked.length, 2);
  assert.equal(lists.state(MAIN).failed, false);
});

test("the first page of a list says what is gone from it, and nothing of others", async () => {
  store.mergeList([one("gone", 5, { archived: true }), one("old", 1, { archived: true }), one("main", 4)], () => false);
  const first = lists.more(ARCHIVE);
  asked[0]?.answer({ conversations: [one("kept", 3, { archived: true })], next: "c2" });
  await first;
  assert.deepEqual(names(), ["main", "kept", "old"]);
});

test("lists that were opened are read again after the line was away, others are not", async () => {
  const first = lists.more("f");
  asked[0]?.answer({ conversations: [one("a", 2, { folder: "f" })], next: null });
  await first;
  lists.state("never opened");
  const again = lists.refresh();
  assert.deepEqual(asked.map(({ path }) => path), Array(2).fill("/conversations?before=&folder=f"));
  asked[1]?.answer({ conversations: [], next: null });
  await again;
  assert.deepEqual(names(), []);
});

test("what was changed while a list was on its way is not taken back by it", async () => {
  store.mergeList([one("moved", 2), one("left", 1, { folder: "f" })], () => false);
  const first = lists.more("f");
  store.updateConversation("moved", { folder: "f" });
  store.updateConversation("left", { folder: null });
  asked[0]?.answer({ conversations: [one("left", 1, { folder: "f" })], next: null });
  await first;
  assert.deepEqual([...store.conversations.values()].map(({ id, folder }) => [id, folder]), [["moved", "f"], ["left", null]]);
});

test("a page of the whole takes away what it would have named", () => {
  const page = (/** @type {Conversation[]} */ conversations, /** @type {string | null} */ next) =>
    /** @type {PageData} */ (/** @type {unknown} */ ({ conversations, next, folders: [], conversation: null, messages: [] }));
  store.merge(page([one("pin", 0, { pinned: true }), one("a", 9), one("b", 8)], "c"));
  store.mergeList([one("older", 2), one("filed", 9, { folder: "f" }), one("archived", 9, { archived: true })], () => false);
  store.merge(page([one("b", 8)], "c"));
  assert.deepEqual(names().sort(), ["archived", "b", "filed", "older"]);
  store.merge(page([one("b", 8)], null));
  assert.deepEqual(names().sort(), ["archived", "b", "filed"]);
});

test("what was in a folder that is gone is in none", () => {
  store.mergeList([one("a", 2, { folder: "f" }), one("b", 1, { folder: "g" })], () => false);
  store.setFolders([{ id: "g", name: "G" }]);
  assert.deepEqual([...store.conversations.values()].map(({ folder }) => folder), [null, "g"]);
});

test("everything stands in one place: on top, in its folder, by age, or in the archive", () => {
  const all = [
    one("pin", 5, { pinned: true, folder: "f" }), one("filed", 4, { folder: "f" }), one("lost", 3, { folder: "unknown" }),
    one("plain", 2), one("put away", 1, { archived: true, pinned: true }),
  ];
  const now = new Date(Date.UTC(2026, 0, 1, 12));
  const members = (/** @type {{members: Conversation[]}[]} */ groups) => groups.flatMap((group) => group.members.map(({ id }) => id));
  const list = arrange(all, [{ id: "f", name: "F" }], false, now);
  assert.deepEqual([members(list.pinned), members(list.folders), members(list.aged)], [["pin"], ["filed"], ["lost", "plain"]]);
  const archive = arrange(all, [{ id: "f", name: "F" }], true, now);
  assert.deepEqual([members(archive.pinned), members(archive.folders), members(archive.aged)], [[], [], ["put away"]]);
});

/** @param {string} id @returns {SearchHit} */
const hit = (id) => ({ conversation: id, title: [], archived: false, message: null, role: null, excerpt: [], at: "" });

/** A search whose answers the test gives, and that never pauses. */
function searching() {
  /** @type {{path: string, answer: (found: unknown) => void, fail: () => void}[]} */ const requests = [];
  /** @type {() => void} */ let heard = () => {};
  const search = new Search(() => heard(), {
    pause: 0,
    ask: (_method, path) => new Promise((resolve, reject) => {
      requests.push({ path, answer: resolve, fail: () => reject(new Error("no")) });
      heard();
    }),
  });
  const until = (/** @type {() => boolean} */ holds) => new Promise((resolve) => {
    heard = () => { if (holds()) resolve(undefined); };
    heard();
  });
  return { search, requests, until };
}

test("an answer that comes after the next question is dropped", async () => {
  const { search, requests, until } = searching();
  search.type("on");
  await until(() => requests.length === 1);
  search.type("one");
  await until(() => requests.length === 2);
  requests[1]?.answer({ results: [hit("right")], next: null });
  await until(() => search.state.status === "done");
  requests[0]?.answer({ results: [hit("stale")], next: null });
  await Promise.resolve();
  assert.deepEqual(search.state.results.map(({ conversation }) => conversation), ["right"]);
  assert.equal(search.state.query, "one");
});

test("more results follow those that are there, and an empty field forgets them", async () => {
  const { search, requests, until } = searching();
  search.type("x");
  await until(() => requests.length === 1);
  requests[0]?.answer({ results: [hit("a")], next: "n" });
  await until(() => search.state.status === "done");
  search.more();
  search.more();
  requests[1]?.answer({ results: [hit("b")], next: null });
  await until(() => search.state.status === "done");
  assert.equal(requests[1]?.path, "/search?q=x&before=n");
  assert.equal(requests.length, 2);
  assert.deepEqual(search.state.results.map(({ conversation }) => conversation), ["a", "b"]);
  search.type("  ");
  assert.deepEqual(search.state, { query: "", results: [], next: null, status: "idle" });
});

test("a search that fails says so, and the next one begins anew", async () => {
  const { search, requests, until } = searching();
  search.type("x");
  await until(() => requests.length === 1);
  requests[0]?.fail();
  await until(() => search.state.status === "failed");
  search.type("xy");
  assert.equal(search.state.status, "busy");
  await until(() => requests.length === 2);
});

test("commands are found by their words, without accents, and only while they can be done", () => {
  let possible = false;
  registerCommand({ label: "Créer un dossier", run: () => {} });
  registerCommand({ label: "Stop it", keys: ["Esc"], run: () => {}, when: () => possible });
  registerCommand({ label: "Send", keys: ["Enter"] });
  const labels = (/** @type {string} */ query) => commandsFor(query).map(({ label }) => label);
  assert.deepEqual(labels("dossier creer"), ["Créer un dossier"]);
  assert.deepEqual(labels(""), ["Créer un dossier"]);
  possible = true;
  assert.deepEqual(labels("stop"), ["Stop it"]);
  assert.deepEqual(labels("send"), []);
  assert.deepEqual(commandsWithKeys().map(({ label }) => label), ["Stop it", "Send"]);
});
