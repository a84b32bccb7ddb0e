"""A package index that wants a user and a password, and one that writes down all it is told; each has one package."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from fastflow_runner.testing.tiny_packages import wheel

USER, PASSWORD = "reader", "s3cret-of-the-index"
PACKAGE = "house_private_thing"
WHEEL = f"{PACKAGE}-1.0-py3-none-any.whl"
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


LURE = "lure"
"""Package of the other index, which needs another one from an address with a variable in it."""


class IndexHandler(BaseHTTPRequestHandler):
    """What indexes of tests are made of: how they answer."""

    protocol_version = "HTTP/1.1"

    def answer(self, status: int, body: bytes = b"") -> None:
        """Send pages and files; 401 asks for credentials."""
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


class _Listener(IndexHandler):
    """Answers whatever makes a client tell more."""

    heard: list[str]

    def do_GET(self) -> None:
        """Write down the request, and ask for credentials where none came."""
        self.heard.append(f"{self.requestline}\n{self.headers}")
        host = f"http://{self.headers['Host']}"
        need = f"Requires-Dist: more @ {host}/${{UV_INDEX_HOUSE_PASSWORD}}/more-1.0-py3-none-any.whl\n"
        file = f"{LURE}-1.0-py3-none-any.whl"
        status, body = 404, b""
        if self.path.startswith("/locked/") and "Authorization" not in self.headers:
            status = 401
        elif self.path.endswith(f"/{LURE}/"):
            status, body = 200, f'<a href="/files/{file}">{file}</a>'.encode()
        elif self.path.endswith(f"/{file}"):
            status, body = 200, wheel(LURE, "1.0", more=need)
        self.answer(status, body)

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library asks for


@contextmanager
def listening_index(host: str) -> Iterator[tuple[str, list[str]]]:
    """Address of a server, and everything that it is told while the block runs."""
    heard: list[str] = []
    with served(host, type("Listener", (_Listener,), {"heard": heard})) as address:
        yield address, heard


class _Private(IndexHandler):
    def do_GET(self) -> None:
        """Answer what the simple interface of an index answers."""
        name = PACKAGE.replace("_", "-")
        if self.headers.get("Authorization") != AUTHORIZATION:
            self.answer(401)
        elif self.path == f"/simple/{name}/":
            self.answer(200, f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode())
        elif self.path == f"/files/{WHEEL}":
            self.answer(200, wheel("house-private-thing", "1.0", code="WORD = 'private'\n"))
        else:
            self.answer(404)


@contextmanager
def private_index(host: str) -> Iterator[str]:
    """Address of the index while the block runs, without credentials."""
    with served(host, _Private) as address:
        yield f"{address}/simple"


@contextmanager
def served(host: str, handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """Address of a server while the block runs."""
    server = ThreadingHTTPServer((host, 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings(url: str, password: str = PASSWORD) -> dict[str, str]:
    """What an operator sets for it."""
    return {"UV_INDEX": f"house={url}", "UV_INDEX_HOUSE_USERNAME": USER, "UV_INDEX_HOUSE_PASSWORD": password}
