"""A server of web pages on the loopback interface, for tests of what fetches pages."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class PagesServer:
    def __init__(self, port: int) -> None:
        self.port = port
        self.host = f"127.0.0.1:{port}"
        self.url = f"http://{self.host}"
        self.pages: dict[str, Answer] = {}
        self.asked: list[str] = []
        # A page called /wait is answered when this is set.
        self.go_on = threading.Event()

    def html(self, path: str, text: str, kind: str = "text/html; charset=utf-8") -> str:
        return self.page(path, text.encode(), {"Content-Type": kind})

    def page(self, path: str, body: bytes, headers: dict[str, str], status: int = 200) -> str:
        self.pages[path] = Answer(body, status, headers)
        return self.url + path

    def redirect(self, path: str, to: str) -> str:
        return self.page(path, b"", {"Location": to}, 302)


@contextmanager
def serving() -> Iterator[PagesServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.asked.append(self.path)
            if self.path == "/wait":
                pages.go_on.wait(20)
            answer = pages.pages.get(self.path, Answer(b"nothing here", 404))
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            try:
                self.wfile.write(answer.body)
            except OSError:
                # Whoever asked had enough.
                return

        def log_message(self, *_: object) -> None:
            """Not among the tests' own output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pages = PagesServer(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield pages
    finally:
        pages.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()
