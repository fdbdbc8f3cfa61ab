import assert from "node:assert/strict";
import { test } from "node:test";

import { argText, visible, wholeArgs } from "../../static/js/tool_args.js";

test("what is hidden in an argument is shown by its number", () => {
  assert.equal(visible("pay\u202eadb\u200b!\u0007"), "pay[U+202E]adb[U+200B]![U+0007]");
  assert.equal(visible("\u{e0041}"), "[U+E0041]");
});

test("languages and emoji that need joiners stay as they are", () => {
  for (const text of ["a\n\tb", "👩‍🔬", "می‌خواهم", "naïve"]) assert.equal(visible(text), text);
});

test("an argument that is no text is shown as JSON", () => {
  assert.equal(argText({ to: ["ada"] }), '{\n  "to": [\n    "ada"\n  ]\n}');
  assert.equal(argText(null), "null");
});

test("only an object is whole arguments", () => {
  assert.deepEqual(wholeArgs('{"a": 1}'), { a: 1 });
  for (const text of ['{"a": ', "[]", "null", "1", ""]) assert.equal(wholeArgs(text), null);
});
