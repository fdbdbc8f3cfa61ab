import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { listenForWaking } from "../../static/js/waking.js";

const TICK_MS = 5_000;
/** The page's own globals, which node lacks. */
const page = /** @type {any} */ (globalThis);
const before = { document: page.document, addEventListener: page.addEventListener };
let nudges = 0;

beforeEach(() => {
  mock.timers.enable({ apis: ["setInterval", "Date"] });
  page.document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  page.addEventListener = () => {};
  nudges = 0;
  listenForWaking({ isOpen: true, nudge: () => { nudges += 1; } });
});

afterEach(() => {
  mock.timers.reset();
  Object.assign(page, before);
});

/** The clock goes on while no timer runs. @param {number} ms */
function sleep(ms) {
  const now = Date.now();
  mock.method(Date, "now", () => now + ms);
  mock.timers.tick(TICK_MS);
  mock.restoreAll();
}

test("timers that come in time say nothing", () => {
  mock.timers.tick(TICK_MS * 4);
  assert.equal(nudges, 0);
});

test("a timer that comes late tells of a sleep", () => {
  sleep(60_000);
  assert.equal(nudges, 1);
});

test("timers of a hidden page are late by themselves", () => {
  page.document.visibilityState = "hidden";
  sleep(60_000);
  assert.equal(nudges, 0);
  page.document.visibilityState = "visible";
  page.document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(nudges, 1);
});
