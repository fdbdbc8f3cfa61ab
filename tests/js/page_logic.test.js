import assert from "node:assert/strict";
import { test } from "node:test";

import { groupByAge } from "../../static/js/ages.js";
import { endOfSentences } from "../../static/js/announcer.js";
import { noteAfter } from "../../static/js/notes.js";
import { conversationAt, pathOf } from "../../static/js/page_data.js";
import { fresh } from "../../static/js/snapshot.js";
import { metaLine, statusLine, wasStartedAgain } from "../../static/js/status_line.js";
import { uuid } from "../../static/js/uuid.js";

const running = { ...fresh("g", "m"), attempt: 1, seq: 1, status: /** @type {const} */ ("in_progress") };
const text = /** @type {Block[]} */ ([{ type: "text", text: "a" }]);

test("an answer without a word yet is waited for, and a long wait is said", () => {
  assert.deepEqual(statusLine(running, undefined, false), { kind: "waiting", text: "" });
  assert.deepEqual(statusLine(running, undefined, true), { kind: "waiting", text: "Still waiting for the model" });
});

test("a place in the queue is said until the first word", () => {
  assert.equal(statusLine(fresh("g", "m"), { position: 3 }, false).text, "Number 3 in the queue");
  assert.equal(statusLine({ ...running, content: text }, { position: 3 }, false).kind, "none");
});

test("a step that a graph reports is shown beside the text", () => {
  assert.deepEqual(statusLine({ ...running, content: text }, { label: "Reading" }, false), { kind: "busy", text: "Reading" });
});

test("who answers in whose place is said until the end", () => {
  const about = { generation: "g", attempt: 1 };
  const data = { kind: "fallback", model: "Backup", in_place_of: "First" };
  const step = /** @type {StreamEvent} */ ({ ...about, seq: 2, type: "progress", label: "x", data });
  const word = /** @type {StreamEvent} */ ({ ...about, seq: 3, type: "text.delta", text: "a" });
  const said = "Backup answers in place of First";
  assert.deepEqual(statusLine(running, noteAfter(undefined, step), false), { kind: "busy", text: said });
  const note = noteAfter(noteAfter(undefined, step), word);
  assert.deepEqual(statusLine({ ...running, content: text }, note, false), { kind: "told", text: said });
  const again = /** @type {StreamEvent} */ ({ ...about, attempt: 2, seq: 1, type: "generation.started" });
  assert.equal(noteAfter(note, again), undefined);
});

test("a failure says what happened, and has words even when the server sent none", () => {
  const failed = { ...running, status: /** @type {const} */ ("failed") };
  const error = { code: "x", message: "The model did not answer in time.", retryable: true };
  assert.equal(statusLine({ ...failed, error }, undefined, false).text, error.message);
  assert.equal(statusLine(failed, undefined, false).text, "The answer could not be finished.");
});

test("an answer that says nothing says that it does", () => {
  const ended = { ...running, status: /** @type {const} */ ("completed"), finish_reason: "stop" };
  const thoughts = /** @type {Block[]} */ ([{ type: "reasoning", reasoning: "Hm." }, { type: "text", text: "\n" }]);
  const said = { kind: "cut", text: "The model gave no answer." };
  assert.deepEqual(statusLine({ ...ended, content: [] }, undefined, false), said);
  assert.deepEqual(statusLine({ ...ended, content: thoughts }, undefined, false), said);
  assert.equal(statusLine({ ...ended, content: text }, undefined, false).kind, "none");
  assert.equal(statusLine({ ...ended, content: [], finish_reason: "refusal" }, undefined, false).text, "The model declined to answer.");
});

test("only a running answer was started again", () => {
  assert.equal(wasStartedAgain({ ...running, attempt: 2 }), true);
  assert.equal(wasStartedAgain({ ...running, attempt: 1 }), false);
  assert.equal(wasStartedAgain({ ...running, attempt: 2, status: "completed" }), false);
});

test("the line below an answer names the model and its tokens", () => {
  const models = [{ slug: "demo", label: "Demo", description: "", default: true, tools: [], images: false, reasons: false }];
  assert.equal(metaLine({ ...running, model: "demo", usage: { output_tokens: 1214 } }, models), "Demo · 1,214 tokens");
  assert.equal(metaLine({ ...running, model: "gone" }, models), "gone");
  const trimmed = { ...running, model: "demo", usage: { output_tokens: 1, left_out: 12 } };
  assert.equal(metaLine(trimmed, models), "Demo · 1 token · without 12 earlier messages");
  const told = { ...running, model: "demo", usage: { output_tokens: 1, left_out: 12, summarised: true } };
  assert.equal(metaLine(told, models), "Demo · 1 token · 12 earlier messages summarised");
  const kept = { ...running, model: "demo", usage: { output_tokens: 0, cached: true } };
  assert.equal(metaLine(kept, models), "Demo · from the cache");
  assert.equal(metaLine(running, models), "");
});

test("sentences are read out when they are whole", () => {
  const whole = (/** @type {string} */ words) => words.slice(0, endOfSentences(words));
  assert.equal(whole("One. Two"), "One. ");
  assert.equal(whole("Version 1.5 is"), "");
  assert.equal(whole("He said “yes.” Then"), "He said “yes.” ");
  assert.equal(whole("はい。次"), "はい。");
  assert.equal(whole("# Title\ntext"), "# Title\n");
});

test("conversations are grouped by the reader's own days", () => {
  const now = new Date(2026, 4, 10, 0, 30);
  const one = (/** @type {string} */ id, /** @type {Date} */ at, pinned = false) =>
    ({ id, title: id, pinned, archived: false, folder: null, temporary: false, updated_at: at.toISOString(), active: [] });
  const groups = groupByAge([
    one("now", now), one("late", new Date(2026, 4, 9, 23, 50)), one("week", new Date(2026, 4, 4)),
    one("days", new Date(2026, 3, 20)), one("spring", new Date(2026, 2, 20)), one("snow", new Date(2026, 0, 2)),
    one("winter", new Date(2025, 11, 31)), one("old", new Date(2025, 5, 1)), one("pin", new Date(2025, 0, 1), true),
  ], now);
  assert.deepEqual(groups.map(({ label, members }) => [label, members.map(({ id }) => id)]), [
    ["Pinned", ["pin"]], ["Today", ["now"]], ["Yesterday", ["late"]], ["Last 7 days", ["week"]],
    ["Last 30 days", ["days"]], ["March", ["spring"]], ["January", ["snow"]], ["2025", ["winter", "old"]],
  ]);
});

test("a conversation's path and the way back", () => {
  const id = uuid();
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(conversationAt(pathOf(id)), id);
  assert.equal(conversationAt(pathOf(null)), null);
  assert.equal(conversationAt("/accounts/login/"), null);
});
