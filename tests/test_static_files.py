"""What a browser gets when it asks for a file of the page, from a running web node."""

import gzip
import re
import urllib.error
import urllib.request

import pytest

from tests.stack import Web

pytest_plugins = ["tests.browser"]


def ask(
    site: Web, path: str, method: str = "GET", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    request = urllib.request.Request(f"{site.url}{path}", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, {k.lower(): v for k, v in error.headers.items()}, error.read()


@pytest.fixture
def tokens(site: Web) -> str:
    """The address of a style sheet, as a page names it."""
    page = ask(site, "/accounts/login/")[2].decode()
    found = re.search(r'href="(/static/css/tokens[^"]*)"', page)
    assert found
    return found[1]


def test_a_file_with_its_hash_in_its_name_is_kept_for_ever(site: Web, tokens: str) -> None:
    status, headers, body = ask(site, tokens)
    assert (status, headers["content-type"]) == (200, 'text/css; charset="utf-8"')
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert len(body) == int(headers["content-length"])
    assert b"--surface" in body


def test_it_comes_compressed_to_those_who_can_read_that(site: Web, tokens: str) -> None:
    plain = ask(site, tokens)[2]
    _, headers, body = ask(site, tokens, **{"Accept-Encoding": "gzip"})
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert gzip.decompress(body) == plain


def test_what_the_browser_has_is_not_sent_again(site: Web, tokens: str) -> None:
    _, headers, _ = ask(site, tokens)
    status, _, body = ask(site, tokens, **{"If-None-Match": headers["etag"]})
    assert (status, body) == (304, b"")


def test_a_part_a_head_and_nothing_else(site: Web, tokens: str) -> None:
    whole = ask(site, tokens)[2]
    assert ask(site, tokens, Range="bytes=2-9")[::2] == (206, whole[2:10])
    status, headers, body = ask(site, tokens, "HEAD")
    assert (status, headers["content-length"], body) == (200, str(len(whole)), b"")
    assert ask(site, tokens, "POST")[0] == 405


@pytest.mark.parametrize(
    "path", ["/static/", "/static/none.css", "/static/../manage.py", "/static/css"]
)
def test_what_is_no_file_is_not_found(site: Web, path: str) -> None:
    status, _, body = ask(site, path)
    assert (status, b"--surface" in body) == (404, False)
