import assert from "node:assert/strict";
import { test } from "node:test";

import { summaryOf } from "../../static/js/chat_settings_summary.js";
import { askedFor, matching } from "../../static/js/library.js";

test("a slash asks for a prompt, a path or a command of several lines does not", () => {
  assert.equal(askedFor("/"), "");
  assert.equal(askedFor("/short and"), "short and");
  assert.equal(askedFor("/etc/passwd"), null);
  assert.equal(askedFor("/one\ntwo"), null);
  assert.equal(askedFor("a/b"), null);
  assert.equal(askedFor(""), null);
});

test("titles that begin with the letters come first, and others that hold them follow", () => {
  const prompts = ["Make shorter", "Short summary", "Translate"].map((title) => ({ id: title, title, text: "" }));
  const titles = (/** @type {string} */ letters) => matching(prompts, letters).map(({ title }) => title);
  assert.deepEqual(titles("SHORT"), ["Short summary", "Make shorter"]);
  assert.deepEqual(titles(""), ["Make shorter", "Short summary", "Translate"]);
  assert.deepEqual(titles("nothing"), []);
});

test("settings are summed up only where they are not the model's own", () => {
  assert.equal(summaryOf({ system_prompt: " ", temperature: null, tools: null }), "");
  assert.equal(summaryOf({ system_prompt: "Hm", temperature: 0, tools: [] }), "Own instructions · Temperature 0 · No tools");
  assert.equal(summaryOf({ system_prompt: "", temperature: null, tools: ["current_time"] }), "Chosen tools");
});
