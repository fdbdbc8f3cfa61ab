import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Windows } from "../../static/js/windows.js";

/** @type {string[]} */ let pinned;
/** @type {string[]} */ let asked;
/** @type {any[]} */ let added;
/** @type {any} */ let client;
/** @type {Windows} */ let windows;
const answer = { messages: [] };

beforeEach(() => {
  [pinned, asked, added] = [[], [], []];
  client = { open: "c", addWindow: (/** @type {any} */ ...given) => added.push(given) };
  const thread = { path: [{ id: "a" }, { id: "b" }], pin: (/** @type {string} */ id) => pinned.push(id) };
  windows = new Windows(client, /** @type {any} */ (thread));
  Object.assign(globalThis, { document: { cookie: "", querySelector: () => null } });
  mock.method(globalThis, "fetch", async (/** @type {string} */ url) => {
    asked.push(url);
    return Response.json(answer);
  });
});

afterEach(() => mock.restoreAll());

/** @param {string[]} ids @returns {Message[]} */
function messages(...ids) {
  return /** @type {any} */ (ids.map((id) => ({ id })));
}

test("nothing is mended where the newest part meets what is shown", async () => {
  await windows.mend(messages("b", "c"));
  assert.deepEqual([pinned, asked], [[], []]);
});

test("what lies between is fetched from the last message that is shown", async () => {
  await windows.mend(messages("y", "z"));
  assert.deepEqual(pinned, ["b"]);
  assert.match(asked[0] ?? "", /conversations\/c\/messages\?starting=b$/);
  assert.deepEqual(added, [["c", answer]]);
});

test("what comes for a conversation that was left is dropped", async () => {
  const mended = windows.mend(messages("y"));
  client.open = "another";
  await mended;
  assert.deepEqual(added, []);
});

test("a line that is down again leaves the place of the reader", async () => {
  mock.method(globalThis, "fetch", async () => { throw new TypeError("offline"); });
  await windows.mend(messages("y"));
  assert.deepEqual([pinned, added], [["b"], []]);
});
