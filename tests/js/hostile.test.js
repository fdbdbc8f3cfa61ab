import assert from "node:assert/strict";
import test from "node:test";

import { lex, marked } from "../../static/js/grammar.js";
import { hostToShow } from "../../static/js/links.js";
import { complete } from "../../static/js/unfinished.js";

/** @param {string} text @param {number} length */
const filled = (text, length) => text.repeat(Math.ceil(length / text.length)).slice(0, length);

// Quadratic, each of these would take a minute or an hour: then the test's own time runs out.
const LENGTH = 100_000;

for (const marks of ["[", "![", "[a](", "[a][", "\\(", "\\[", "$", "**a ", "**注", "**`a", "_a ", "~~a ", "`a ``b ", "<", "</", "*a **b ***c "]) {
  test(`a text of ${marks} alone is shown as it is, and soon`, { timeout: 30_000 }, () => {
    const text = filled(marks, LENGTH);
    const [paragraph] = lex(text);
    assert.equal(paragraph?.raw.trim(), text.trim());
    assert.equal(complete(text), text);
  });
}

test("what is nested without an end is shown without one", { timeout: 30_000 }, () => {
  for (const marks of ["> ", "1. ", "- "]) {
    const html = /** @type {string} */ (marked.parser(lex(`${filled(marks, 20_000)}end`)));
    assert.match(html, /end/);
  }
});

test("a paragraph of a person keeps its marks, however many", () => {
  const text = "Call `run(a[0])` with **care** or _not_ at all. ".repeat(60);
  const html = /** @type {string} */ (marked.parser(lex(text)));
  assert.equal(html.match(/<strong>/g)?.length, 60);
});

test("a link whose text has no end shows its host", { timeout: 30_000 }, () => {
  assert.equal(hostToShow(filled("a-", LENGTH), "https://example.com/"), "example.com");
  assert.equal(hostToShow("the manual", "https://example.com/"), "");
});
