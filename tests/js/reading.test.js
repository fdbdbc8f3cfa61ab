import assert from "node:assert/strict";
import { test } from "node:test";

import { lex, marked } from "../../static/js/grammar.js";
import { hostToShow } from "../../static/js/links.js";
import { isMoney } from "../../static/js/math_grammar.js";
import { firstChange, linesOf } from "../../static/js/runs.js";
import { complete } from "../../static/js/unfinished.js";

/** @type {[string, string][]} */
const HALVES = [
  ["**bo", "**bo**"],
  ["a *b **c", "a *b **c***"],
  ["a **b*", "a **b**"],
  ["a **", "a"],
  ["a `co", "a `co`"],
  ["see [te", "see te"],
  ["see [text](http://a.b/c_d", "see text"],
  ["see https://ex", "see https&#58;//ex"],
  ["text\n-", "text"],
  ["- a\n- [", "- a\n-"],
  ["| a | b |", "| a | b |\n|---|---|"],
  ["| a | b |\n|--", "| a | b |\n|---|---|"],
  ["x $$a", "x $$a$$"],
  ["\\(a", "\\(a\\)"],
  ["1. a\n   ```py\n   **x\n   ``", "1. a\n   ```py\n   **x"],
];

for (const [half, whole] of HALVES) {
  test(`${JSON.stringify(half)} is shown as ${JSON.stringify(whole)}`, () => {
    assert.equal(complete(half).trimEnd(), whole);
  });
}

test("what is whole is left as it is", () => {
  for (const text of ["**a** and *b*", "2 * 3 * 4", "snake_case_name", "`**`", "[a](http://b)", "| a |\n|---|\n| b |"]) {
    assert.equal(complete(text), text);
  }
});

test("half a link of a hostile model costs no more than an ordinary one", () => {
  assert.equal(complete(`[a](${"(x".repeat(40)} b`).length > 0, true);
});

test("a link whose text names its own host shows no host", () => {
  assert.equal(hostToShow("www.example.com/a", "https://example.com/a"), "");
  assert.equal(hostToShow("the docs", "https://example.com/"), "");
  assert.equal(hostToShow("settings.py", "https://example.com/settings.py"), "");
});

test("a link whose text names another host shows its own", () => {
  assert.equal(hostToShow("https://bank.example", "https://evil.example/"), "evil.example");
  assert.equal(hostToShow("Go to PayPal.com now", "https://evil.example/"), "evil.example");
  assert.equal(hostToShow("https://google.com@evil.example/", "https://google.com@evil.example/"), "evil.example");
  assert.equal(hostToShow("Apple", "https://аpple.com/"), "xn--pple-43d.com");
});

test("a host that only an eye can read in a link's text is found too", () => {
  const misleading = [
    "pay\u200bpal.com", "paypal\u2024com", "paypal。com", "ｐａｙｐａｌ．com", "\u202emoc.lapyap",
    "https://setup.py", "http://localhost/admin", "192.168.1.1", "evil.example, as good as paypal.com",
  ];
  for (const text of misleading) assert.equal(hostToShow(text, "https://evil.example/"), "evil.example", text);
  for (const text of ["http://localhost:8000/x", "10.0.0.1"]) {
    const { host } = new URL(text.startsWith("http") ? text : `http://${text}`);
    assert.equal(hostToShow(text, `http://${host}/x`), "", text);
  }
  assert.equal(hostToShow("see setup.py of version 1.2.3", "https://evil.example/"), "");
});

test("bold needs no spaces around it in languages that write none", () => {
  for (const [source, bold] of [["**注意：**请看", "注意："], ["这是**“引用”**的词", "“引用”"], ["**한국어(Korean)**는", "한국어(Korean)"]]) {
    assert.match(/** @type {string} */ (marked.parser(lex(source ?? ""))), new RegExp(`<strong>${bold?.replace(/[()]/g, "\\$&")}</strong>`));
    assert.equal(complete(source ?? ""), source);
  }
  for (const source of ["2 ** 3 です ** 4", "f(**kw)**2"]) assert.doesNotMatch(/** @type {string} */ (marked.parser(lex(source))), /strong/);
});

test("money between dollars is no formula", () => {
  assert.equal(isMoney("5 and US"), true);
  assert.equal(isMoney("5x + 1"), false);
  assert.equal(isMoney("x"), false);
});

test("coloured HTML becomes runs, line by line", () => {
  const lines = linesOf('<span class="hljs-string">a\n&lt;b<span class="hljs-subst">${x}</span></span> c');
  assert.deepEqual(lines, [
    [["a", "hljs-string"]],
    [["<b", "hljs-string"], ["${x}", "hljs-subst"], [" c", ""]],
  ]);
});

test("only lines from the first change on are sent again", () => {
  assert.equal(firstChange(["a", "b"], ["a", "b", "c"]), 2);
  assert.equal(firstChange(["a", "b"], ["a", "x", "c"]), 1);
  assert.equal(firstChange([], ["a"]), 0);
});
