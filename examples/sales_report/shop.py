"""A shop that answers on loopback, so that the report needs no network."""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

REGIONS = ["north", "east", "south", "west"]


class Shop(BaseHTTPRequestHandler):
    """Answers `/sales?rows=N` with the same sales every time."""

    def do_GET(self) -> None:
        rows = int(parse_qs(urlsplit(self.path).query).get("rows", ["10"])[0])
        chance = random.Random(7)
        sales = [{"region": chance.choice(REGIONS), "amount": round(chance.uniform(5, 500), 2)} for _ in range(rows)]
        body = json.dumps(sales).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def open_shop() -> Iterator[str]:
    """Serve until the block ends; yields the address."""
    server = HTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
