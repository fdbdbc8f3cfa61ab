"""Pages are fetched from the public web, and from nowhere else."""

import asyncio
import gzip
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.tools import ToolException
from pytest_django import Settings
from yarl import URL

from llm.tools import fetch_page as fetching
from llm.tools import safe_web
from llm.tools.fetch_page import fetch_page
from llm.tools.safe_web import CheckingResolver, Refused, connector
from tests.pages_server import PagesServer, serving

# Every way of writing an address of the own machine or network that has fooled somebody.
NOT_PUBLIC = (
    *("127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433", "017700000001"),
    *("0", "0.0.0.0", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.", "127。0。0。1"),
    *("①②⑦.⓪.⓪.①", "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]"),
    *("[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]"),
    *("[2002:7f00:1::]", "[2001:0:7f00:1::]", "[::ffff:0:127.0.0.1]", "[fe80::1]", "[fc00::1]"),
    *("[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[5f00::1]"),
    *("169.254.169.254", "[::ffff:169.254.169.254]", "0xa9fea9fe", "100.100.100.200"),
    *("168.63.129.16", "192.0.0.192", "10.0.0.1", "172.16.0.1", "172.31.255.254"),
    *("192.168.1.1", "100.64.0.1", "198.18.0.1", "192.0.2.1", "203.0.113.9", "192.88.99.1"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "127.255.255.254"),
)
NO_PAGES = (
    *("file:///etc/passwd", "ftp://example.org/", "gopher://example.org/", "data:text/html,x"),
    *("javascript:alert(1)", "//127.0.0.1/", "/etc/passwd", "http:///", "http://", "", "http:"),
    *("http://user@example.org/", "http://a:b@example.org/", "http://example.org@127.0.0.1/"),
    *("http://example.org\\@127.0.0.1/", "http://127.0.0.1\t/", "http://exa mple.org/"),
    *("http://example.org:22/", "http://example.org:6379/", "http://example.org:0/"),
    *(
        "http://example.org:99999/",
        "http://[::1/",
        "http://a\r\nHost: b/",
        "unix:///tmp/redis.sock",
    ),
    "http://example.org/" + "a" * 2_000,
)


@pytest.fixture
def pages() -> Iterator[PagesServer]:
    with serving() as server:
        yield server


@pytest.fixture
def allowed(pages: PagesServer, settings: Settings) -> PagesServer:
    """The same server, which the admin has named."""
    settings.FETCH_ALLOWED_HOSTS = [pages.host]
    return pages


async def read(url: str, offset: int = 0) -> str:
    text: str = await fetch_page.ainvoke({"url": url, "offset": offset})
    return text


# --- What is refused -----------------------------------------------------------------------------
@pytest.mark.parametrize("host", NOT_PUBLIC)
async def test_an_address_that_is_not_public_is_never_asked(
    pages: PagesServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safe_web, "PORTS", frozenset({pages.port}))
    with pytest.raises(Refused, match=r"not a public address|no server called"):
        await read(f"http://{host}:{pages.port}/")
    assert pages.asked == []


@pytest.mark.parametrize("host", NOT_PUBLIC)
async def test_nothing_is_connected_to_it_where_the_first_check_is_gone(
    pages: PagesServer, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last gate alone: whatever way an address is written, a socket knows which it is."""
    monkeypatch.setattr(fetching, "checked_url", URL)
    with pytest.raises(ToolException):
        await read(f"http://{host}:{pages.port}/")
    assert pages.asked == []


@pytest.mark.parametrize("url", NO_PAGES)
async def test_what_is_no_address_of_a_page_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        await read(url)


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["2606:4700::1", "fe80::1%lo"]]
)
async def test_a_name_is_refused_for_any_of_its_addresses(
    pages: PagesServer, addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_names(monkeypatch, addresses)
    monkeypatch.setattr(safe_web, "PORTS", frozenset({pages.port}))
    with pytest.raises(Refused, match=r"rebind\.example is not a public address"):
        await read(f"http://rebind.example:{pages.port}/")
    assert pages.asked == []


async def test_the_address_that_was_checked_is_the_one_that_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A number, which nothing looks up again: a second answer could be another one."""
    looked_up = answer_names(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    found = await CheckingResolver().resolve("rebind.example", 80)
    assert [each["host"] for each in found] == ["93.184.216.34"]
    assert found[0]["flags"] & socket.AI_NUMERICHOST
    assert looked_up == ["rebind.example"]


def answer_names(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """What a hostile name server says, one answer after the other."""
    loop, looked_up, left = asyncio.get_running_loop(), list[str](), list(answers)

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        looked_up.append(host)
        kind = socket.SOCK_STREAM
        return [(socket.AF_INET, kind, 6, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
    return looked_up


async def test_a_redirect_is_checked_like_any_address(allowed: PagesServer) -> None:
    with serving() as secret:
        secret.html("/", "the secret")
        for target in (secret.url + "/", "http://169.254.169.254/", "file:///etc/passwd", "//0/"):
            with pytest.raises(Refused):
                await read(allowed.redirect("/away", target))
        assert secret.asked == []


async def test_a_page_that_leads_in_circles_is_left(allowed: PagesServer) -> None:
    with pytest.raises(ToolException, match="led on more than 5 times"):
        await read(allowed.redirect("/round", "/round"))
    assert len(allowed.asked) == 6


# --- What is read --------------------------------------------------------------------------------
async def test_a_page_is_read_as_text(allowed: PagesServer) -> None:
    url = allowed.html(
        "/",
        "<!doctype html><html><head><title> A  page </title><style>p { color: red }</style>"
        "<script>if (a < b) alert('x')</script><body><nav>Home</nav><h1>Tea</h1>"
        "<p>Green &amp; black,<br>hot</p><table><tr><td>a<td>b</table><svg><text>no</text></svg>",
    )
    text = await read(url)
    assert text.splitlines()[0] == url
    assert "A page" in text
    assert [line for line in text.splitlines()[3:] if line] == [
        *("Home", "Tea", "Green & black,", "hot", "a b"),
    ]


async def test_a_page_whose_head_is_never_closed_is_read(allowed: PagesServer) -> None:
    assert "Words" in await read(allowed.html("/", "<title>T</title><meta charset=utf-8><p>Words"))


async def test_a_redirect_is_followed(allowed: PagesServer) -> None:
    allowed.html("/new", "arrived", "text/plain")
    assert await read(allowed.redirect("/old", "new")) == f"{allowed.url}/new\n\narrived"


async def test_a_long_page_is_read_in_parts(allowed: PagesServer) -> None:
    url = allowed.html("/", "a" * 20_000 + "the end", "text/plain")
    assert "[It goes on: ask again with offset 20000.]" in await read(url)
    assert (await read(url, 20_000)).endswith("\n\nthe end")
    assert (await read(url, 99_999)).endswith("(There is no text.)")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain; charset=iso-8859-1", "Käse".encode("latin-1")),
        ("text/plain", "Käse".encode()),
        ("text/html", b'<meta charset="windows-1252"><p>' + "Käse".encode("cp1252")),
        ("text/plain; charset=nonsense", "Käse".encode()),
        ("text/plain; charset=punycode", "Käse".encode()),
    ],
)
async def test_text_is_read_in_its_character_set(
    allowed: PagesServer, kind: str, body: bytes
) -> None:
    assert "Käse" in await read(allowed.page("/", body, {"Content-Type": kind}))


async def test_what_is_packed_is_unpacked(allowed: PagesServer) -> None:
    headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
    assert (await read(allowed.page("/", gzip.compress(b"tea"), headers))).endswith("tea")


# --- What has bounds -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (b"a" * 2_200_000, {"Content-Type": "text/plain"}, "larger than 2 MB"),
        (
            gzip.compress(b"a" * 50_000_000),
            {"Content-Type": "text/plain", "Content-Encoding": "gzip"},
            "larger than 2 MB",
        ),
        (b"x", {"Content-Type": "text/plain", "Content-Encoding": "br"}, "cannot be read"),
        (b"not packed", {"Content-Type": "text/plain", "Content-Encoding": "gzip"}, "answer as"),
        (b"\x89PNG", {"Content-Type": "image/png"}, "type image/png"),
        (b"x", {}, "type application/octet-stream"),
    ],
)
async def test_what_cannot_be_read_is_refused(
    allowed: PagesServer, body: bytes, headers: dict[str, str], why: str
) -> None:
    with pytest.raises(ToolException, match=why):
        await read(allowed.page("/", body, headers))


async def test_a_page_that_is_not_there_says_so(allowed: PagesServer) -> None:
    with pytest.raises(ToolException, match="status 404"):
        await read(allowed.url + "/none")


async def test_a_server_that_is_not_there_says_nothing_of_the_network(settings: Settings) -> None:
    with serving() as gone:
        settings.FETCH_ALLOWED_HOSTS = [gone.host]
    with pytest.raises(ToolException) as raised:
        await read(gone.url)
    assert str(raised.value) == fetching.NO_ANSWER


async def test_a_page_that_never_comes_is_left(
    allowed: PagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 0.2)
    with pytest.raises(ToolException, match=r"longer than 0\.2 seconds"):
        await read(allowed.url + "/wait")
    assert allowed.asked == ["/wait"]


@pytest.mark.parametrize("piece", ["<!--", "<a ", "<![CDATA[", "&", "<?", "</", "<p>", "<script>"])
async def test_a_hostile_page_is_read_in_linear_time(allowed: PagesServer, piece: str) -> None:
    """In quadratic time this would take minutes, and the test would be ended."""
    hostile = "<p>first</p>" + piece * (1_900_000 // len(piece))
    assert "first" in await asyncio.wait_for(read(allowed.html("/", hostile)), 20)


async def test_no_proxy_of_the_environment_comes_between(
    allowed: PagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed.html("/", "direct", "text/plain")
    with serving() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert "direct" in await read(allowed.url + "/")
        assert proxy.asked == []


async def test_an_address_of_the_admins_is_that_very_port(allowed: PagesServer) -> None:
    with serving() as other, pytest.raises(Refused):
        await read(other.url)
    assert connector(URL("http://example.org/"))._socket_factory is not None
