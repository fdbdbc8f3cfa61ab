import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiError } from "../../static/js/api.js";
import { Attachments } from "../../static/js/attachments.js";
import { blockOf, factsText, filesIn, refusalOf, sizeText } from "../../static/js/files.js";
import { KnownFiles } from "../../static/js/known_files.js";

const LIMITS = { file_mb: 20, files: 3 };

/** @param {string} id @param {Partial<AttachmentData>} [more] @returns {AttachmentData} */
const data = (id, more = {}) => ({
  id, name: `${id}.txt`, kind: "text", media_type: "text/plain", size: 5, pages: null, width: null, height: null,
  reads: "whole", sent: false, ...more,
});
const file = (/** @type {string} */ name, content = "Hello", type = "text/plain") => new File([content], name, { type });

/** Attachments with uploads that end when the test says so. */
function made() {
  /** @type {Record<string, {resolve: (data: AttachmentData) => void, reject: (error: Error) => void, signal: AbortSignal}>} */
  const uploads = {};
  /** @type {Record<string, FileBlock[]>} */ const drafts = {};
  /** @type {string[]} */ const discarded = [];
  /** @type {string[]} */ const told = [];
  /** @type {Record<string, AttachmentData | null>} */ const server = {};
  const attachments = new Attachments(LIMITS, {
    upload: (one, { signal }) => new Promise((resolve, reject) => { uploads[one.name] = { resolve, reject, signal }; }),
    discard: (id) => discarded.push(id),
    look: async (id) => server[id] ?? null,
    drafts: { load: (place) => drafts[place] ?? [], save: (place, files) => { drafts[place] = files; } },
    changed: () => {},
    tell: (sentence) => told.push(sentence),
  });
  attachments.show("new");
  return { attachments, uploads, drafts, discarded, told, server };
}

const settled = () => new Promise((resolve) => { setImmediate(resolve); });
const names = (/** @type {Attachments} */ attachments) => attachments.ready.map((block) => block.extras.name);

test("a file is ready when the server has it, and is kept with the draft", async () => {
  const { attachments, uploads, drafts, told } = made();
  attachments.add([file("a.txt")]);
  assert.deepEqual([attachments.isUploading, attachments.ready.length], [true, 0]);
  uploads["a.txt"]?.resolve(data("a"));
  await settled();
  assert.deepEqual([attachments.isUploading, names(attachments)], [false, ["a.txt"]]);
  assert.equal(drafts["new"]?.[0]?.file_id, "a");
  assert.deepEqual(told, ["a.txt is attached."]);
});

test("files keep the order in which they were added, whichever is there first", async () => {
  const { attachments, uploads } = made();
  attachments.add([file("a.txt"), file("b.txt")]);
  uploads["b.txt"]?.resolve(data("b"));
  await settled();
  uploads["a.txt"]?.resolve(data("a"));
  await settled();
  assert.deepEqual(names(attachments), ["a.txt", "b.txt"]);
});

test("taking them empties the list and the draft", async () => {
  const { attachments, uploads, drafts, discarded } = made();
  attachments.add([file("a.txt")]);
  uploads["a.txt"]?.resolve(data("a"));
  await settled();
  assert.equal(attachments.take()[0]?.file_id, "a");
  assert.deepEqual([attachments.entries.length, drafts["new"], discarded], [0, [], []]);
});

test("an upload goes on in its own place while another is shown", async () => {
  const { attachments, uploads, drafts } = made();
  attachments.add([file("a.txt")]);
  attachments.show("another");
  assert.equal(attachments.entries.length, 0);
  uploads["a.txt"]?.resolve(data("a"));
  await settled();
  assert.deepEqual([drafts["new"]?.length, drafts["another"]?.length ?? 0], [1, 0]);
  attachments.show("new");
  assert.deepEqual(names(attachments), ["a.txt"]);
});

test("a draft that becomes a conversation takes its uploads along", async () => {
  const { attachments, uploads, drafts } = made();
  attachments.add([file("a.txt")]);
  attachments.move("new", "c1");
  uploads["a.txt"]?.resolve(data("a"));
  await settled();
  assert.deepEqual([drafts["new"], drafts["c1"]?.length, names(attachments)], [[], 1, ["a.txt"]]);
});

test("a refusal is no reason to try again, a broken line is", async () => {
  const { attachments, uploads } = made();
  attachments.add([file("a.txt"), file("b.txt")]);
  uploads["a.txt"]?.reject(new ApiError(400, "file_type", "No."));
  uploads["b.txt"]?.reject(new ApiError(0, "unreachable", "Gone."));
  await settled();
  assert.deepEqual(attachments.entries.map(({ reason, retryable }) => [reason, retryable]), [["No.", false], ["Gone.", true]]);
  assert.equal(attachments.isStuck, true);
  attachments.retry(attachments.entries[1]?.key ?? "");
  uploads["b.txt"]?.resolve(data("b"));
  await settled();
  assert.deepEqual([attachments.isStuck, names(attachments)], [false, ["b.txt"]]);
});

test("removing stops the upload, or tells the server", async () => {
  const { attachments, uploads, discarded } = made();
  attachments.add([file("a.txt"), file("b.txt")]);
  uploads["b.txt"]?.resolve(data("b"));
  await settled();
  for (const { key } of [...attachments.entries]) attachments.remove(key);
  assert.deepEqual([uploads["a.txt"]?.signal.aborted, discarded, attachments.entries.length], [true, ["b"], 0]);
});

test("what a message holds is never removed from the server", () => {
  const { attachments, discarded } = made();
  attachments.show("edit:m", [blockOf(data("a"))]);
  attachments.remove(attachments.entries[0]?.key ?? "");
  assert.deepEqual([attachments.entries.length, discarded], [0, []]);
});

test("more files than a message holds are refused, and refused ones do not count", () => {
  const { attachments } = made();
  attachments.add([file("film.mp4", "x", "video/mp4"), file("a.txt"), file("b.txt"), file("c.txt"), file("d.txt")]);
  assert.deepEqual(attachments.entries.map(({ state }) => state), ["failed", "uploading", "uploading", "uploading", "failed"]);
  assert.equal(attachments.entries[4]?.reason, "A message holds at most 3 files.");
});

test("a draft asks whether its files are still there, and drops those that were sent", async () => {
  const { attachments, drafts, server } = made();
  drafts["old"] = [blockOf(data("gone")), blockOf(data("sent")), blockOf(data("here"))];
  Object.assign(server, { sent: data("sent", { sent: true }), here: data("here", { reads: "none" }) });
  attachments.show("old");
  await settled();
  assert.deepEqual(attachments.entries.map(({ name, state, reads }) => [name, state, reads]), [
    ["gone.txt", "failed", "whole"], ["here.txt", "ready", "none"],
  ]);
});

test("what comes back unsent is not there twice", async () => {
  const { attachments, server } = made();
  server["a"] = data("a");
  attachments.putBack([blockOf(data("a"))]);
  attachments.putBack([blockOf(data("a"))]);
  await settled();
  assert.deepEqual(names(attachments), ["a.txt"]);
});

test("the browser refuses what the server would", () => {
  const refused = (/** @type {string} */ name, size = 5, type = "") => refusalOf({ name, size, type }, LIMITS);
  assert.equal(refused("a.txt"), "");
  assert.equal(refused("Makefile"), "");
  assert.equal(refused("a.svg", 5, "image/svg+xml"), "");
  assert.match(refused("a.txt", 0), /empty/);
  assert.match(refused("a.txt", 20_000_001), /at most 20 MB/);
  assert.match(refused("a.MP4"), /cannot be read/);
  assert.match(refused("a", 5, "audio/ogg"), /cannot be read/);
  assert.match(refused("a.heic", 5, "image/heic"), /cannot be read/);
});

test("sizes and pages are said as people say them", () => {
  assert.deepEqual([8, 45_300, 1_250_000].map(sizeText), ["8 bytes", "45 kB", "1.3 MB"]);
  assert.equal(factsText(blockOf(data("a", { pages: 1, size: 2000 }))), "1 page · 2 kB");
  assert.equal(factsText(blockOf(data("a", { pages: 12 }))), "12 pages · 5 bytes");
});

test("files are told from other blocks, and known again by their ids", () => {
  const block = blockOf(data("a", { kind: "image", width: 3, height: 2 }));
  assert.deepEqual(block, { type: "image", file_id: "a", mime_type: "text/plain", extras: { name: "a.txt", size: 5, width: 3, height: 2 } });
  assert.deepEqual(filesIn([block, { type: "text", text: "Hello" }]), [block]);
  /** @type {FileBlock[]} */ let stored = [];
  const storage = { load: () => stored, save: (/** @type {FileBlock[]} */ files) => { stored = files; } };
  new KnownFiles(storage).remember([block]);
  assert.deepEqual(new KnownFiles(storage).blocks(["b", "a"]), [block]);
  assert.deepEqual(new KnownFiles(storage).blocks(), []);
});
