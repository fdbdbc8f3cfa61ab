"""Which origins may open a socket. Every case is one that a comparison of host names gets wrong."""

import pytest
from pytest_django import Settings

from chatsite.origin import allowed


@pytest.fixture(autouse=True)
def plain_site(settings: Settings) -> None:
    settings.HTTPS = False
    settings.WEBSOCKET_ORIGINS = []


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://chat.example.com", "chat.example.com"),
        ("http://chat.example.com", "chat.example.com:80"),
        ("http://chat.example.com:80", "chat.example.com"),
        ("http://chat.example.com:8000", "chat.example.com:8000"),
        ("http://CHAT.example.com:8000", "chat.Example.com:8000"),
        ("https://chat.example.com", "chat.example.com"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_pages_own_origin_is_allowed(origin: str, host: str) -> None:
    assert allowed(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://evil.example", "chat.example.com"),
        ("http://chat.example.com.evil.example", "chat.example.com"),
        ("http://evil.example/chat.example.com", "chat.example.com"),
        ("http://chat.example.com@evil.example", "chat.example.com"),
        ("http://sub.chat.example.com", "chat.example.com"),
        ("http://example.com", "chat.example.com"),
        ("http://chat.example.com:8001", "chat.example.com:8000"),
        ("http://chat.example.com", "chat.example.com:8000"),
        ("http://chat.example.com:8000", "chat.example.com"),
        ("null", "chat.example.com"),
        ("null", "null"),
        ("file://", "chat.example.com"),
        ("ftp://chat.example.com", "chat.example.com"),
        ("chrome-extension://chat.example.com", "chat.example.com"),
        ("chat.example.com", "chat.example.com"),
        ("//chat.example.com", "chat.example.com"),
        ("http://", ""),
        ("http://chat.example.com", ""),
        ("http://chat.example.com:x", "chat.example.com"),
        ("http://chat.example.com:99999", "chat.example.com"),
        ("http://[::1", "[::1]"),
    ],
)
def test_any_other_origin_is_refused(origin: str, host: str) -> None:
    assert not allowed(origin, host)


def test_a_plain_page_may_not_reach_a_site_with_https(settings: Settings) -> None:
    settings.HTTPS = True
    assert allowed("https://chat.example.com", "chat.example.com")
    assert not allowed("http://chat.example.com", "chat.example.com")
    assert not allowed("http://chat.example.com:443", "chat.example.com:443")


def test_an_origin_that_is_set_is_allowed_as_a_whole(settings: Settings) -> None:
    settings.WEBSOCKET_ORIGINS = ["https://app.example.com"]
    assert allowed("https://app.example.com", "chat.example.com")
    assert not allowed("http://app.example.com", "chat.example.com")
    assert not allowed("https://app.example.com:8443", "chat.example.com")
