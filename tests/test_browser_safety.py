"""What models and users write never becomes more than text, in any state of an answer, and no page
needs what the Content-Security-Policy forbids. Foreign requests, script errors, dialogs and
violations are looked for by the fixture of every tab, when its test ends."""

import re
from typing import Any

import pytest
from playwright.sync_api import Response, expect

from accounts.models import User
from tests.chat import Chat, OpenChat
from tests.provider import Provider
from tests.stack import Web

pytest_plugins = ["tests.browser"]
pytestmark = pytest.mark.browser
EVIL = "https://evil.example/"


@pytest.fixture
def asks() -> bool:
    return True


CORPUS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    f"<img src={EVIL}a.png>",
    "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'><text y=9>x</text></a></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src onerror=alert(1)>'>",
    f"<iframe src='{EVIL}'></iframe><object data='{EVIL}'></object><embed src='{EVIL}'>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    f"<form action='{EVIL}'><button autofocus onfocus=alert(1)>go</button></form>",
    f"<link rel=stylesheet href={EVIL}a.css><style>@import '{EVIL}b.css';</style>",
    f"<meta http-equiv=refresh content='0;url={EVIL}'><base href='{EVIL}'>",
    f'<div style="background:url({EVIL}c.png)" onclick=alert(1)>d</div>',
    "<details open ontoggle=alert(1)>x</details><video><source onerror=alert(1)></video>",
    "<input autofocus onfocus=alert(1)><textarea autofocus onfocus=alert(1)></textarea>",
    "[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](java&#x0A;script:alert(1))",
    "[d](data:text/html,<script>alert(1)</script>) [e](vbscript:alert(1)) <javascript:alert(1)>",
    "[f]( javascript&colon;alert(1)) [g](\x01javascript:alert(1)) [h][ref]",
    "[h][ref]\n\n[ref]: javascript:alert(1)",
    f'![i]({EVIL}i.png) ![j](javascript:alert(1)) ![k](x"onerror="alert(1))',
    f'[l](https://example.com/"onmouseover="alert(1)) [m](<{EVIL}" onclick="alert(1)>)',
    f"[![n]({EVIL}n.png)]({EVIL}?q=secret) <{EVIL}autolink>",
    '```"><img/src=x/onerror=alert(1)>\n<script>alert(1)</script>\n```',
    "```html\n<script>alert(1)</script><img src=x onerror=alert(1)>\n```",
    "`<img src=x onerror=alert(1)>` ~~<b onclick=alert(1)>~~ **<i onclick=alert(1)>**",
    "| <img src=x onerror=alert(1)> | b |\n|---|---|\n| <script>alert(1)</script> | c |",
    "- [x] <img src=x onerror=alert(1)>\n- <a href=javascript:alert(1)>z</a>",
    "$\\href{javascript:alert(1)}{x}$ $$\\includegraphics{https://evil.example/k.png}$$ $\\<img>$",
    f"\\(\\href{{{EVIL}}}{{x}} \\url{{{EVIL}}} \\includegraphics{{{EVIL}k.png}}\\)",
    f"$$\\htmlStyle{{background:url({EVIL}s.png)}}{{x}} \\htmlId{{composer}}{{y}}$$",
    "\\[\\htmlData{x=y}{z} \\def\\a{\\a\\a}\\a \\rule{9999em}{9999em}\\]",
    "Note[^<img src=x onerror=alert(1)>] and[^1]\n\n[^1]: <img src=x onerror=alert(1)> [x](data:,)",
    "[^constructor] [^__proto__]\n\n[^__proto__]: <script>alert(1)</script>",
    f"```mermaid\ngraph TD\nA[<img src=x onerror=alert(1)>] --> B\nclick A '{EVIL}' _self\n```",
    f"[paypal.com]({EVIL}) [аpple.com](https://аpple.com/) <https://google.com@evil.example/>",
    "<sub onclick=alert(1)>x</sub><br onload=alert(1)><kbd style=color:red>y</kbd>",
    "&lt;img src=x onerror=alert(1)&gt; &#60;script&#62;alert(1)&#60;/script&#62;",
    "<a id=composer name=composer>clobber</a><form id=messages><input name=children></form>",
    "\u202e<script>alert(1)</script>\u2028<img src=x onerror=alert(1)>\x00<b>",
]
HARMLESS = {
    *("A", "BLOCKQUOTE", "BR", "CODE", "DEL", "DIV", "EM", "HR", "INPUT", "LI", "OL", "P", "PRE"),
    *("H1", "H2", "H3", "H4", "H5", "H6", "SPAN", "STRONG", "UL"),
    *("B", "I", "KBD", "MARK", "S", "SECTION", "SUB", "SUP", "U"),
    *("TABLE", "TBODY", "TD", "TH", "THEAD", "TR"),
    # Our own frame around code, with its buttons and icons.
    *("FIGURE", "FIGCAPTION", "BUTTON", "SVG", "PATH", "RECT", "LINE"),
}
# What KaTeX makes of a formula, with styles that it has set itself.
FORMULA = {
    *("SPAN", "SVG", "PATH", "LINE", "MATH", "SEMANTICS", "ANNOTATION", "MROW", "MI", "MN", "MO"),
    *("MSTYLE", "MTEXT", "MSPACE", "MSUP", "MSUB", "MSUBSUP", "MFRAC", "MPADDED", "MERROR"),
}
# A diagram that was drawn is a picture that this page has made.
SEEN_IN_PROSE = """element => [
    ...element.querySelectorAll('*:not(.diagram > img[src^="blob:"])')
].map(one => ({
    tag: one.tagName.toUpperCase(),
    attributes: [...one.attributes].map(attribute => attribute.name),
    link: one.getAttribute('href') ?? '',
    formula: one.closest('.katex') !== null,
}))"""


EVERY_PREFIX = """async corpus => {
    const names = performance.getEntriesByType('resource').map(entry => entry.name);
    const renderer = names.find(name => /\\/js\\/markdown\\.[0-9a-f]+\\.js$/.test(name));
    const { MarkdownView } = await import(renderer);
    const seen = new Map();
    const look = element => (SEEN)(element).forEach(one => seen.set(JSON.stringify(one), one));
    for (const text of corpus) {
        const view = new MarkdownView();
        document.getElementById('messages').append(view.element);
        for (let end = 1; end <= text.length; end += 1) {
            view.update(text.slice(0, end), true);
            look(view.element);
        }
        view.update(text, false);
        look(view.element);
    }
    return [...seen.values()];
}"""


def assert_harmless(chat: Chat) -> None:
    for prose in chat.page.locator(".prose").all():
        check(prose.evaluate(SEEN_IN_PROSE))


def check(elements: list[dict[str, Any]]) -> None:
    for element in elements:
        assert element["tag"] in (FORMULA if element["formula"] else HARMLESS), element
        assert not [name for name in element["attributes"] if name.startswith("on")], element
        refused = {"id", "name", "src", "srcdoc", *(() if element["formula"] else ("style",))}
        assert not refused & set(element["attributes"]), element
        if element["tag"] == "A":
            assert element["link"] == "" or re.match("https?://|mailto:", element["link"]), element


def test_what_a_model_writes_is_never_run(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    """Streamed byte by byte, finished, and after a reload."""
    chat = open_chat(owner, site)
    provider.script({"text": "\n\n".join(CORPUS), "rate": 60, "split_bytes": 1})
    chat.send("Attack me")
    expect(chat.stop_button).to_be_visible()
    while chat.stop_button.is_visible():
        assert_harmless(chat)
    chat.wait_until_answered()
    expect(chat.prose).to_contain_text("<img src=x onerror=alert(1)>")
    assert_harmless(chat)
    chat.reload()
    expect(chat.prose).to_contain_text("<img src=x onerror=alert(1)>")
    assert_harmless(chat)


def test_every_beginning_of_every_attack_is_harmless(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    """Deltas reach the page several characters at a time. Here its renderer sees each prefix."""
    chat = open_chat(owner, site)
    elements = chat.page.evaluate(EVERY_PREFIX.replace("SEEN", SEEN_IN_PROSE), CORPUS)
    assert len(elements) > 20
    check(elements)


def test_what_a_user_writes_is_never_run(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    """In the bubble, in the titles of the page and of the sidebar, in the draft and when edited."""
    attack = "</title></script><script>alert(1)</script><img src=x onerror=alert(1)>"
    chat = open_chat(owner, site)
    chat.send(attack)
    chat.wait_until_answered()
    for _ in ("as it was sent", "as it was kept"):
        expect(chat.questions).to_have_text(attack)
        expect(chat.page.locator("#title")).to_contain_text("<script>")
        expect(chat.page.locator(".conversation-title")).to_contain_text("<script>")
        assert_harmless(chat)
        chat.reload()
    chat.questions.last.hover()
    chat.page.get_by_role("button", name="Edit").last.click()
    expect(chat.composer).to_have_value(attack)


def test_what_a_tool_is_called_and_says_is_never_run(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    attack = "<img src=x onerror=alert(1)>"
    chat = open_chat(owner, site)
    provider.script({"tool": {"name": attack, "args": {"q": attack}}}, {"text": attack, "rate": 0})
    chat.send("Use your tools")
    chat.wait_until_answered()
    chat.reload()
    expect(chat.answer).to_be_visible()
    for summary in chat.page.locator(".tool summary").all():
        summary.click()
    assert chat.page.locator(".assistant :is(img, script)").count() == 0


def test_a_link_in_an_answer_opens_apart_and_tells_nothing_of_this_page(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    chat = open_chat(owner, site)
    provider.script({"text": "See [the docs](https://example.com/docs).", "rate": 0})
    chat.send("Where?")
    link = chat.answer.get_by_role("link", name="the docs")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")


HOSTILE_DIAGRAMS = [
    f"graph TD\n  A[<img src={EVIL}a.png onerror=alert(1)>] --> B",
    f'graph TD\n  A --> B\n  click A "javascript:alert(1)"\n  click B href "{EVIL}" _top',
    f"%%{{init: {{'themeCSS': '* {{background:url({EVIL}b.png)}}', 'securityLevel': 'loose'}}}}%%\n"
    f"graph TD\n  A[<iframe src={EVIL}></iframe>] --> B",
    "%%{init: {'htmlLabels': true, 'flowchart': {'htmlLabels': true}}}%%\n"
    "graph TD\n  A[<script>alert(1)</script>] --> B",
]


def test_a_hostile_diagram_is_a_picture_like_any_other(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider
) -> None:
    """Whether it can be drawn or not. That nothing was fetched or run, the fixture looks at."""
    fences = [f"```mermaid\n{text}\n```" for text in HOSTILE_DIAGRAMS]
    chat = open_chat(owner, site)
    provider.script({"text": "\n\n".join([*fences, HARMLESS_DIAGRAM]), "rate": 0})
    chat.send("Draw")
    chat.wait_until_answered()
    for figure in chat.answer.locator(".code").all():
        figure.scroll_into_view_if_needed()
        expect(figure.locator(".diagram img, .diagram-note").filter(visible=True)).to_have_count(1)
    assert chat.page.locator(".assistant :is(iframe, script, object)").count() == 0
    assert chat.page.evaluate("() => !document.querySelector('.diagram').innerHTML.includes('<a')")
    expect(chat.answer.get_by_role("img", name="Diagram").last).to_be_visible()


HARMLESS_DIAGRAM = "```mermaid\ngraph TD\n  A --> B\n```"
MISLEADING = [
    ("[paypal.com](https://evil.example/)", "evil.example"),
    ("[https://bank.example/login](https://evil.example/)", "evil.example"),
    ("<https://google.com@evil.example/>", "evil.example"),
    # The first letter is Cyrillic.
    ("[Apple](https://аpple.com/)", "xn--pple-43d.com"),
]


@pytest.mark.parametrize(("text", "host"), MISLEADING)
def test_a_link_that_names_another_place_says_where_it_leads(
    owner: User, site: Web, open_chat: OpenChat, provider: Provider, text: str, host: str
) -> None:
    chat = open_chat(owner, site)
    provider.script({"text": f"{text} and [example.com](https://www.example.com/a).", "rate": 0})
    chat.send("Where?")
    chat.wait_until_answered()
    expect(chat.answer.locator(".link-host")).to_have_text([f" ({host})"])


def test_no_page_needs_what_the_policy_forbids(owner: User, site: Web, open_chat: OpenChat) -> None:
    """Every page in normal use, also the error pages, the account's and the admin's."""
    owner.is_staff = owner.is_superuser = True
    owner.save()
    chat = open_chat(owner, site)
    missing: list[str] = []

    def note(response: Response) -> None:
        if response.status >= 400 and "/nowhere" not in response.url:
            missing.append(f"{response.status} {response.url}")

    chat.page.on("response", note)
    paths = ["/", "/accounts/email/", "/accounts/password/change/", "/accounts/logout/", "/nowhere"]
    paths += ["/admin/", "/admin/conversations/generation/", "/admin/accounts/user/add/"]
    for path in paths:
        chat.visit(path)
        expect(chat.page.get_by_role("heading").first).to_be_visible()
    chat.page.context.clear_cookies()
    for path in ("/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"):
        chat.visit(path)
        expect(chat.page.get_by_role("heading").first).to_be_visible()
    assert missing == []


def test_the_policy_is_the_strict_one_where_models_write(
    owner: User, site: Web, open_chat: OpenChat
) -> None:
    """An inline script that got through all the rest would still not run."""
    chat = open_chat(owner, site)
    ran = chat.page.evaluate(
        """() => {
            const element = document.createElement('div');
            element.setAttribute('onclick', 'window.ran = true');
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(element, script);
            element.click();
            return window.ran === true;
        }"""
    )
    assert not ran
    assert len(chat.troubles) == 2
    assert all("Content Security Policy" in trouble for trouble in chat.troubles)
    chat.troubles.clear()
