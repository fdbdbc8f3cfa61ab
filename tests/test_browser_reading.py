"""How an answer reads while it arrives and afterwards, in a real browser."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from accounts.models import User
from conversations.models import Feedback, Message
from tests.browser import sign_in
from tests.chat import Chat, OpenChat
from tests.provider import Provider
from tests.rows import answered
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
# A view of the page's own renderer, fed as the stream would feed it.
VIEW = """async () => {
    const names = performance.getEntriesByType('resource').map(entry => entry.name);
    const renderer = names.find(name => /\\/js\\/markdown\\.[0-9a-f]+\\.js$/.test(name));
    const { MarkdownView } = await import(renderer);
    window.view = new MarkdownView();
    document.getElementById('messages').append(window.view.element);
}"""
UPDATE = "([text, live]) => window.view.update(text, live)"
HTML = "() => window.view.element.innerHTML"
EACH_PREFIX = """text => {
    const seen = [];
    for (let end = 1; end <= text.length; end += 1) {
        window.view.update(text.slice(0, end), true);
        const shown = window.view.element.innerText;
        if (seen.at(-1) !== shown) seen.push(shown);
    }
    window.view.update(text, false);
    return seen;
}"""


# What is drawn only near the reader's eyes wants a page that is looked at.
@pytest.fixture
def fresh_view(owner: User, site: Web, open_chat: OpenChat) -> Chat:
    chat = open_chat(owner, site)
    chat.page.evaluate(VIEW)
    return chat


OPENED: dict[Browser, Chat] = {}


@pytest.fixture
def view(owner: User, site: Web, browser: Browser) -> Iterator[Chat]:
    """On a page that is opened once: a text becomes HTML in the page alone, whoever looks at it."""
    if browser not in OPENED:
        context = browser.new_context()
        sign_in(context, owner, site)
        OPENED[browser] = Chat(context.new_page(), site.url).visit()
    chat = OPENED[browser]
    chat.page.evaluate("document.getElementById('messages').replaceChildren()")
    chat.page.evaluate(VIEW)
    yield chat
    assert chat.troubles == []


def prefixes(view: Chat, text: str) -> list[str]:
    seen: list[str] = view.page.evaluate(EACH_PREFIX, text)
    return seen


def show(view: Chat, text: str, *, live: bool) -> None:
    view.page.evaluate(UPDATE, [text, live])


HALF_WRITTEN = [
    ("Some **bold** and *soft* text, `code` and ~~gone~~.", ("*", "`", "~")),
    ("See [the docs](https://example.com/a_b) now.", ("[", "]", "(", "http")),
    ("An ![image](https://example.com/i.png) here.", ("![", "](", "(http")),
    ("Before\n\n| Name | Age |\n|------|----:|\n| Ada | 36 |\n", ("|", "--")),
    ("A list:\n\n- one\n- **two**\n- [x] done\n", ("- ", "*", "[")),
    ("A heading\n\n## Second\n\ntext", ("#",)),
    ("Sum: $$a + b$$ done", ("$$",)),
    ("Look:\n\n```python\nprint(1)\n```\n\nDone", ("```",)),
]


@pytest.mark.parametrize(("text", "raw"), HALF_WRITTEN)
def test_no_raw_markup_shows_while_it_is_being_written(
    view: Chat, text: str, raw: tuple[str, ...]
) -> None:
    seen = prefixes(view, text)
    assert len(seen) > 5
    assert [shown for shown in seen if any(marks in shown for marks in raw)] == []


def test_a_text_that_grew_looks_like_the_same_text_at_once(view: Chat) -> None:
    """Whatever the way to it was, in the end both are the same page."""
    prefixes(view, EVERYTHING)
    view.page.wait_for_function("() => !document.querySelector('.math[data-plain]')")
    grown = view.page.locator(".prose").last.inner_text()
    view.page.evaluate(VIEW)
    show(view, EVERYTHING, live=False)
    expect(view.page.locator(".prose").last.locator(".katex")).to_have_count(3)
    assert view.page.locator(".prose").last.inner_text() == grown


EVERYTHING = """# A title

Text with **bold**, *soft*, `code`, H<sub>2</sub>O and a [link][1].[^note]

> A quote
> of two lines

1. First

   ```js
   const a = 1;
   ```
2. Second
   - nested
   - [x] done

| a | b |
|---|--:|
| 1 | $x^2$ |
| 3 | 4 |

$$
\\int_0^1 x \\, dx
$$

Prices: $5 and $10; a formula \\(y = 2\\).

```python
def f(x):
    return x
```

- - -

The end.

[1]: https://example.com/
[^note]: It says *more*.
"""


# --- What is finished stays -----------------------------------------------------------------------
SELECT = """selector => {
    const found = [...document.querySelectorAll(selector)].at(-1);
    getSelection().selectAllChildren(found);
    window.selected = found;
}"""


def test_a_selection_survives_all_that_arrives_after_it(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    """Also one in the list that is being written."""
    chat = open_chat(owner, site)
    tail = " ".join(f"word{number}" for number in range(80))
    provider.script({"text": f"First **choice** here.\n\n- one\n- *two*\n- {tail}", "rate": 40})
    chat.send("Go")
    expect(chat.prose).to_contain_text("word3 ")
    for selector, text in ((".prose strong", "choice"), (".prose li em", "two")):
        chat.page.evaluate(SELECT, selector)
        before = len(chat.text())
        chat.page.wait_for_function(
            "length => document.querySelector('.assistant').textContent.length > length + 60",
            arg=before,
        )
        assert chat.page.evaluate("() => getSelection().toString()") == text
        assert chat.page.evaluate("() => window.selected.isConnected")
    chat.wait_until_answered()
    assert chat.page.evaluate("() => getSelection().toString()") == "two"


LONG_BLOCKS = {
    "code": ("```python\n", "value_{n} = compute({n})  # note\n", ".code code > span"),
    "table": ("| a | b | c |\n|---|---|---|\n", "| {n} | **x** | `y` |\n", "tbody tr"),
    "list": ("", "{n}. Item {n} with **bold** text\n", ".prose li"),
}
GROW = """([head, lines, step]) => {
    const times = [];
    let text = head;
    for (let index = 0; index < lines.length; index += step) {
        text += lines.slice(index, index + step).join('');
        const start = performance.now();
        window.view.update(text, true);
        times.push(performance.now() - start);
    }
    return times;
}"""


@pytest.mark.parametrize("kind", LONG_BLOCKS)
def test_a_long_block_is_not_read_again_from_its_beginning(fresh_view: Chat, kind: str) -> None:
    """Counted in elements that are touched, which no slow machine changes."""
    head, line, selector = LONG_BLOCKS[kind]
    lines = [line.format(n=number) for number in range(1, 601)]
    fresh_view.page.evaluate(GROW, [head, lines[:500], 1])
    touched = fresh_view.page.evaluate(
        """async ([head, lines]) => {
            const touched = new Set();
            const observer = new MutationObserver(records => {
                const nodes = records.flatMap(({ target, addedNodes }) => [target, ...addedNodes]);
                for (const node of nodes) touched.add(node);
            });
            const what = { subtree: true, childList: true, characterData: true };
            observer.observe(window.view.element, what);
            window.view.update(head + lines.join(''), true);
            await new Promise(requestAnimationFrame);
            observer.disconnect();
            return touched.size;
        }""",
        [head, lines[:501]],
    )
    assert touched < 30
    show(fresh_view, head + "".join(lines), live=False)
    assert fresh_view.page.locator(selector).count() in (600, 601)
    expect(fresh_view.page.locator(selector).nth(599)).to_contain_text("600")


def test_an_address_that_comes_last_reaches_what_refers_to_it(view: Chat) -> None:
    paragraphs = "\n\n".join(f"Paragraph {number}" for number in range(6))
    prefixes(view, f"See [the docs][1] first.\n\n{paragraphs}\n\n[1]: https://example.com/docs\n")
    link = view.page.get_by_role("link", name="the docs")
    expect(link).to_have_attribute("href", "https://example.com/docs")


def test_each_block_finds_its_own_direction(view: Chat) -> None:
    show(view, "Python\n\nهذه لغة برمجة.\n\n- عنصر\n\n`x` 1", live=False)
    blocks = view.page.locator(".prose").last.locator(".block")
    directions = blocks.evaluate_all("all => all.map(one => getComputedStyle(one).direction)")
    assert directions == ["ltr", "rtl", "rtl", "ltr"]


def test_footnotes_are_numbered_listed_and_lead_to_their_text(view: Chat) -> None:
    text = "One[^a] and two[^b], none[^c].\n\n[^b]: Second note.\n\n[^a]: First *note*.\n"
    prefixes(view, text)
    prose = view.page.locator(".prose").last
    expect(prose.locator("sup")).to_have_text(["1", "2"])
    expect(prose.locator("p").first).to_have_text("One1 and two2, none[^c].")
    expect(prose.locator(".footnotes li")).to_have_text(["First note.", "Second note."])
    prose.get_by_role("button", name="Footnote 2").click()
    expect(prose.locator(".footnotes li").nth(1)).to_be_focused()


# --- Code and formulas ----------------------------------------------------------------------------
def test_code_is_coloured_and_keeps_its_text(fresh_view: Chat) -> None:
    source = "def f(x):\n    '''a\n    doc'''\n    return 1\n\n\n<b>&amp;"
    prefixes(fresh_view, f"```python\n{source}\n```\n")
    code = fresh_view.page.locator(".code").last
    expect(code.locator(".hljs-keyword").first).to_have_text("def")
    expect(code.locator(".hljs-string").nth(1)).to_have_text("    doc'''")
    assert code.locator("code").text_content() == source
    expect(code.locator(".code-language")).to_have_text("python")


def test_wrapping_and_copying_code(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    source = "let x = 1;\n" * 20
    chat = open_chat(owner, site)
    answer = f"Look:\n\n```js\n{source}```\n\n{'more ' * 60}\n\n```js\n{source}```\n"
    provider.script({"text": answer, "rate": 60})
    chat.send("Go")
    first = chat.page.locator(".code").first
    # By key: the page follows the answer, and moves the button away from under a pointer.
    first.get_by_role("button", name="Wrap").press("Enter")
    chat.wait_until_answered()
    for code in chat.page.locator(".code").all():
        expect(code.get_by_role("button", name="Wrap")).to_have_attribute("aria-pressed", "true")
    first.get_by_role("button", name="Copy").click()
    expect(first.locator(".copy-button")).to_have_attribute("data-done", "")
    assert chat.page.evaluate("() => navigator.clipboard.readText()") == source.rstrip("\n")


FORMULAS = [
    ("$x^2$", 1),
    ("$$\n\\frac{a}{b}\n$$", 1),
    ("\\(a\\) and \\[b\\]", 2),
    ("It costs $5 and $10, or 5$-6$.", 0),
    ("between $100 and 200$ a month", 0),
    ("`$x$`", 0),
]


@pytest.mark.parametrize(("text", "number"), FORMULAS)
def test_formulas_are_told_from_prices(view: Chat, text: str, number: int) -> None:
    show(view, f"{text}\n\n$last$", live=False)
    expect(view.page.locator(".prose").last.locator(".katex")).to_have_count(number + 1)


def test_a_wrong_formula_shows_its_source(view: Chat) -> None:
    show(view, "$$\\frac{a}{$$ and $\\nope{x}$ and $b$", live=False)
    prose = view.page.locator(".prose").last
    expect(prose.locator(".katex")).to_have_count(1)
    expect(prose.locator(".math[data-plain]").first).to_have_text("\\frac{a}{")


# --- Beside the text ------------------------------------------------------------------------------
def menu(chat: Chat, item: str) -> None:
    chat.answer.get_by_role("button", name="More").click()
    chat.page.get_by_role("menuitem", name=item).click()


def test_an_answer_is_rated_and_commented_and_taken_back(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    chat.send("Hello")
    chat.wait_until_answered()
    bad = chat.answer.get_by_role("button", name="Bad answer")
    bad.click()
    chat.page.get_by_role("button", name="Add a comment").click()
    chat.page.get_by_role("textbox", name="Comment").fill("Too long")
    chat.page.get_by_role("button", name="Save").click()
    expect(chat.page.get_by_text("Your comment was saved.")).to_be_visible()
    chat.reload()
    expect(bad).to_have_attribute("aria-pressed", "true")
    kept = Feedback.objects.get()
    assert (kept.rating, kept.comment) == (-1, "Too long")
    chat.answer.get_by_role("button", name="Good answer").click()
    expect(bad).to_have_attribute("aria-pressed", "false")
    chat.answer.get_by_role("button", name="Good answer").click()
    expect(chat.answer.locator(".rate[aria-pressed=true]")).to_have_count(0)
    chat.reload()
    expect(chat.answer.get_by_role("button", name="Good answer")).to_be_visible()
    assert not Feedback.objects.exists()


def test_an_answer_is_copied_as_rich_text(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    text = "Some **bold** text, $x$.\n\n```py\na = 1\n```"
    chat = open_chat(owner, site)
    provider.script({"text": text, "rate": 0})
    chat.send("Hello")
    chat.wait_until_answered()
    menu(chat, "Copy as rich text")
    expect(chat.page.get_by_text("Copied")).to_be_visible()
    html, plain = chat.page.evaluate(
        """async () => {
            const [item] = await navigator.clipboard.read();
            const types = ['text/html', 'text/plain'];
            return Promise.all(types.map(async type => (await item.getType(type)).text()));
        }"""
    )
    assert plain == text
    assert "<strong>bold</strong>" in html
    assert "$x$" in html
    assert "<code>a = 1</code></pre>" in html
    assert "button" not in html


def test_an_answer_is_read_aloud_without_its_code(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    """The machine has no voice: what is said is noted in its place."""
    chat = open_chat(owner, site)
    chat.page.evaluate(
        """() => {
            window.said = [];
            speechSynthesis.speak = utterance => window.said.push([utterance.text, utterance.lang]);
            speechSynthesis.cancel = () => { window.said = ['stopped']; };
        }"""
    )
    text = "First **part**.\n\n```py\ncode\n```\n\n- second\n  - third"
    provider.script({"text": text, "rate": 0})
    chat.send("Hello")
    chat.wait_until_answered()
    menu(chat, "Read aloud")
    said = [["First part.", "en"], ["second", "en"], ["third", "en"]]
    assert chat.page.evaluate("() => window.said") == said
    chat.answer.get_by_role("button", name="Stop reading aloud").click()
    assert chat.page.evaluate("() => window.said") == ["stopped"]
    expect(chat.answer.get_by_role("button", name="Stop reading aloud")).to_be_hidden()


def test_details_say_what_an_answer_took(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({"tokens": 30, "reasoning": 10, "rate": 50})
    chat.send("Hello")
    chat.wait_until_answered()
    chat.reload()
    expect(chat.answer.locator(".thought-label")).to_have_text("Thought for 1 s")
    menu(chat, "Details")
    names = chat.page.get_by_role("dialog").locator("dt")
    for name in ("Model", "Until the first word", "In all", "Tokens written", "Tokens per second"):
        expect(names.filter(has_text=name)).to_have_count(1)


def test_what_a_tool_found_is_listed_as_sources(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    result = json.dumps([{"title": "The docs", "url": "https://docs.example.com/a"}])
    made = answered(owner)
    Message.objects.filter(pk=made.reply.pk).update(
        content=[
            {
                "type": "tool_call",
                "id": "1",
                "name": "search_web",
                "args": {"query": "streams"},
                "extras": {"result": result},
            },
            {"type": "text", "text": "Found."},
        ]
    )
    chat = open_chat(owner, site, f"/c/{made.conversation.pk}/")
    card = chat.answer.locator(".tool")
    expect(card.locator(".tool-line")).to_have_text("Search webstreams")
    card.locator("summary").click()
    expect(card.locator(".tool-result")).to_contain_text("docs.example.com")
    chat.answer.get_by_text("Sources: 1").click()
    link = chat.answer.get_by_role("link", name="The docs")
    expect(link).to_have_attribute("href", "https://docs.example.com/a")
    expect(link).to_contain_text("docs.example.com")


# --- Diagrams -------------------------------------------------------------------------------------
DIAGRAM = "```mermaid\ngraph TD\n  A[Start] --> B{Ready?}\n  B -- yes --> C[Go]\n```\n"


def test_a_diagram_is_drawn_apart_and_shown_as_a_picture(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({"text": f"Look:\n\n{DIAGRAM}\nDone.", "rate": 100})
    chat.send("Draw")
    image = chat.answer.get_by_role("img", name="Diagram")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 50
    assert chat.page.locator("iframe").get_attribute("sandbox") == "allow-scripts"
    light = image.get_attribute("src")
    chat.answer.get_by_role("button", name="Source").click()
    expect(chat.answer.locator(".code code")).to_contain_text("A[Start] --> B{Ready?}")
    chat.answer.get_by_role("button", name="Source").click()
    chat.page.emulate_media(color_scheme="dark")
    expect(image).not_to_have_attribute("src", light or "")


def test_a_broken_diagram_shows_its_source(fresh_view: Chat) -> None:
    show(fresh_view, "```mermaid\ngraph TD\n  A[Start --> \n```\n", live=False)
    figure = fresh_view.page.locator(".code").last
    expect(figure.get_by_text("could not be drawn")).to_be_visible()
    expect(figure.locator("code")).to_contain_text("A[Start -->")


def test_nothing_is_fetched_for_diagrams_before_there_is_one(fresh_view: Chat) -> None:
    asked: list[str] = []
    fresh_view.page.on("request", lambda request: asked.append(request.url))
    show(fresh_view, "No diagram, `graph TD`.\n\n```python\nx\n```\n", live=False)
    expect(fresh_view.page.locator(".code code")).to_have_text("x")
    assert [url for url in asked if "mermaid" in url or "/diagram/" in url] == []
    show(fresh_view, DIAGRAM, live=False)
    expect(fresh_view.page.get_by_role("img", name="Diagram")).to_be_visible()
    assert [url for url in asked if "/diagram/" in url]
