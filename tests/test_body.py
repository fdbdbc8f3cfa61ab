"""What a web node takes of a request's body, from visitors of whom it knows nothing."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.stack import Stack, Web

HEAD = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
TEXT = "Content-Type: text/plain\r\n"
BLOCK = b"x" * 50_000


@pytest.fixture
def line(stack: Stack) -> Iterator[socket.socket]:
    """To a node that takes a megabyte."""
    node: Web = stack.web(ATTACHMENT_MB="1", IMPORT_MB="1")
    where = urlsplit(node.url)
    with socket.create_connection((where.hostname, where.port), timeout=30) as opened:
        yield opened


def answer(line: socket.socket) -> bytes:
    return line.recv(100).partition(b"\r\n")[0]


def test_a_body_that_says_that_it_is_too_large_is_refused_at_once(line: socket.socket) -> None:
    line.sendall(f"{HEAD}{TEXT}Content-Length: 2000000\r\n\r\n".encode())
    assert answer(line) == b"HTTP/1.1 413 Content Too Large"
    assert line.recv(100) == b""


def test_a_body_that_goes_on_and_on_is_ended(line: socket.socket) -> None:
    line.sendall(f"{HEAD}{TEXT}Transfer-Encoding: chunked\r\n\r\n".encode())
    for _ in range(23):
        line.sendall(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK))
    assert answer(line) == b"HTTP/1.1 413 Content Too Large"


def test_a_body_that_fits_reaches_its_view(line: socket.socket) -> None:
    line.sendall(f"{HEAD}{TEXT}Content-Length: {len(BLOCK)}\r\n\r\n".encode() + BLOCK)
    assert answer(line) == b"HTTP/1.1 200 OK"
