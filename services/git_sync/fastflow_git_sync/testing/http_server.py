"""A Git host over HTTP with a password: `git http-backend` behind a handler of our own."""

import base64
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

PIECES = 8


class HttpHost(Struct, kw_only=True):
    """A running host; what it does may be changed while it runs."""

    url: str
    """Ends with a slash; append the path of a repository below its root."""
    user: str
    password: str
    delay_s: float = 0.0
    """How long each answer takes."""
    pause_s: float = 0.0
    """How long it rests after each eighth of an answer."""
    moved_to: str = ""
    """When not empty: every request is sent there."""
    modern: bool = True
    """False: speaks the oldest protocol only, and gives out no single objects."""
    seen: list[str]
    """Request lines and their Authorization headers, in the order they came."""

    @property
    def authorization(self) -> str:
        """What is asked of a caller."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def change_password(self, password: str) -> None:
        """From now on only this one opens."""
        self.password = password


@contextmanager
def http_host(root: Path, *, user: str, password: str, address: str = "127.0.0.1") -> Iterator[HttpHost]:
    """Serve the repositories under `root` until the block ends."""
    host = HttpHost(url="", user=user, password=password, seen=[])
    backend = Path(subprocess.check_output(["git", "--exec-path"], text=True).strip()) / "git-http-backend"

    class Handler(BaseHTTPRequestHandler):
        """Passes a request on to Git's own CGI program."""

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _answer(self, body: bytes) -> None:
            authorization = self.headers.get("Authorization", "")
            host.seen.append(f"{self.requestline} {authorization}")
            time.sleep(host.delay_s)
            if host.moved_to:
                self.send_response(302)
                self.send_header("Location", host.moved_to + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if authorization != host.authorization:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            url = urlsplit(self.path)
            env = {
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if host.modern else "",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": url.path,
                "QUERY_STRING": url.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "REMOTE_USER": user,
            }
            answer = subprocess.run([backend], input=body, env=env, capture_output=True, check=False).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            piece = max(1, len(content) // PIECES)
            for start in range(0, len(content), piece):
                self.wfile.write(content[start : start + piece])
                time.sleep(host.pause_s)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer((address, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        host.url = f"http://{address}:{server.server_port}/"
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
