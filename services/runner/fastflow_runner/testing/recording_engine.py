"""What stands where the engine would: says yes to everything, and keeps each request as its bytes arrived."""

import socketserver
from typing import cast

from msgspec import Struct


class Arrived(Struct, frozen=True):
    """One request."""

    method: str
    target: str
    headers: tuple[str, ...]
    body: bytes


class RecordingEngine(socketserver.ThreadingUnixStreamServer):
    """Listens at `path` on a thread for each connection."""

    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(path, _Handler)
        self.path = path
        self.seen: list[Arrived] = []
        self.lines: list[bytes] = []
        """Request lines and headers as they come in, those of a request that never ends, too."""


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        engine = cast(RecordingEngine, self.server)
        while line := self.rfile.readline():
            engine.lines.append(line)
            headers = []
            while (header := self.rfile.readline()) not in {b"\r\n", b""}:
                engine.lines.append(header)
                headers.append(header.decode("latin-1").strip())
            lengths = [h.partition(":")[2] for h in headers if h.lower().startswith("content-length:")]
            body = self.rfile.read(int(lengths[-1])) if lengths else b""
            method, _, target = line.decode("latin-1").rpartition(" ")[0].partition(" ")
            engine.seen.append(Arrived(method, target, tuple(headers), body))
            if any(header.lower().startswith("upgrade:") for header in headers):
                self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
                while data := self.request.recv(65536):
                    self.wfile.write(data)
                return
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
