"""A package index that wants a user and a password, with one small package of its own making."""

import base64
import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USER, PASSWORD = "reader", "s3cret-of-the-index"
PACKAGE = "house_private_thing"
_WHEEL = f"{PACKAGE}-1.0-py3-none-any.whl"
_AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def _wheel() -> bytes:
    buffer, info = io.BytesIO(), f"{PACKAGE}-1.0.dist-info"
    with zipfile.ZipFile(buffer, "w") as wheel:
        wheel.writestr(f"{PACKAGE}.py", "WORD = 'private'\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: house\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return buffer.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer what the simple interface of an index answers."""
        name = PACKAGE.replace("_", "-")
        if self.headers.get("Authorization") != _AUTHORIZATION:
            self._answer(401, b"", "text/plain")
        elif self.path == f"/simple/{name}/":
            self._answer(200, f'<a href="/files/{_WHEEL}">{_WHEEL}</a>'.encode(), "text/html")
        elif self.path == f"/files/{_WHEEL}":
            self._answer(200, _wheel(), "application/octet-stream")
        else:
            self._answer(404, b"", "text/plain")

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        if status == 401:
            self.send_header("WWW-Authenticate", "Basic")
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@contextmanager
def private_index(host: str) -> Iterator[str]:
    """Address of the index while the block runs, without credentials."""
    server = ThreadingHTTPServer((host, 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/simple"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def settings(url: str, password: str = PASSWORD) -> dict[str, str]:
    """What an operator sets for it."""
    return {"UV_INDEX": f"house={url}", "UV_INDEX_HOUSE_USERNAME": USER, "UV_INDEX_HOUSE_PASSWORD": password}
