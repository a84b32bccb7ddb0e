"""Cases of packages, each prepared by uv itself and by the entry program, in one container and from one index.

It runs in there, with the standard library alone. `lock` writes the locks that cases ask for, `compare` does the rest.
"""

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

PORT = 8000
INDEXES = Path("/tmp/indexes")
CASES = Path("/tmp/cases")
_ENTRY = "/usr/local/lib/fastflow/entry"
_ENV = {
    "PATH": os.environ.get("PATH", ""),
    "HOME": "/tmp/home",
    "LANG": "C.UTF-8",
    "UV_PYTHON_PREFERENCE": "only-system",
}
_SETTINGS = {"UV_DEFAULT_INDEX": f"http://127.0.0.1:{PORT}/pub/", "UV_HTTP_RETRIES": "0"}
_THEIRS = {**_ENV, **_SETTINGS, "UV_CACHE_DIR": "/tmp/theirs", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
_NEEDS_BUILD = 5
_AT_ONCE = 3


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer with a file, or with what its folder's index says."""
        path = INDEXES / unquote(self.path).strip("/")
        found = [file for file in (path, path / "index.json", path / "index.html") if file.is_file()]
        content = found[0].read_bytes() if found else b""
        kinds = {".json": "application/vnd.pypi.simple.v1+json", ".html": "text/html"}
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", kinds.get(found[0].suffix if found else "", "application/octet-stream"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library asks for

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def _seal(payload: bytes) -> bytes:
    return b"FFSEAL1\n" + len(payload).to_bytes(8, "big") + sha256(payload).digest() + payload


def _laid(case: dict[str, Any], folder: Path) -> Path:
    for path, content in case["files"].items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(content))
    return folder


def _call(argv: list[str], folder: Path, env: dict[str, str], text: bytes = b"") -> tuple[int, bytes, str]:
    done = subprocess.run(argv, input=text, cwd=folder, env=env, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def lock(case: dict[str, Any]) -> dict[str, str]:
    """The lock that uv writes for the case, by its path."""
    folder = _laid(case, CASES / "locks" / case["id"])
    of_script = ["--script", "main.py"] if case["lock"] == "script" else []
    code, _, words = _call(["uv", "lock", "--quiet", *of_script], folder, _THEIRS)
    if code:
        raise SystemExit(f"{case['name']}: {words}")
    name = "main.py.lock" if of_script else "uv.lock"
    return {name: base64.b64encode((folder / name).read_bytes()).decode()}


def compare(case: dict[str, Any]) -> dict[str, Any]:
    """What a script of the case finds installed, as uv runs it and as it runs here; or why it does not."""
    theirs = _laid(case, CASES / "theirs" / case["id"])
    if case["pip"]:
        _call(["uv", "venv", "--quiet", ".venv"], theirs, _THEIRS)
        code, printed, words = _call(["uv", "pip", "install", "--quiet", "-r", case["pip"]], theirs, _THEIRS)
        if code == 0:
            code, printed, words = _call([".venv/bin/python", "main.py"], theirs, _THEIRS)
    else:
        code, printed, words = _call(["uv", "run", "--quiet", *case["run"], "main.py"], theirs, _THEIRS)
    found: dict[str, Any] = {"uv": json.loads(printed) if code == 0 else None, "uv_words": words, "us": None}
    ours = _laid(case, CASES / "ours" / case["id"])
    code, printed, words = _prepared({**case["order"], "folder": str(ours), "file": f"{ours}/{case['order']['file']}"})
    if code == 0:
        interpreter = json.loads(printed)["interpreter"]
        code, printed, words = _call([interpreter, "main.py"], ours, _ENV)
        found["us"] = json.loads(printed) if code == 0 else None
    return {**found, "words": words, "code": code}


def _prepared(order: dict[str, Any]) -> tuple[int, bytes, str]:
    """As the runner does it: fetch, and where something has to be built, build apart; then link what came of it."""
    order = {**order, "root": "/tmp/ours", "uv": "uv", "env": _SETTINGS}
    root = Path(order["folder"] + ".fetch")
    root.mkdir()
    about = {"root": str(root), "out": f"{root}/out", "pythons": "/tmp/ours/python", "store": "/tmp/ours/wheels"}
    code, printed, words = _entry("fetch", _seal(json.dumps({**order, **about}).encode()))
    return _linked(order, root, printed, built=False) if code == 0 else _or_built(order, code, printed, words)


def _linked(order: dict[str, Any], root: Path, printed: bytes, *, built: bool) -> tuple[int, bytes, str]:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        if (root / "out").exists():
            tar.add(root / "out", "out")
    order = {**order, "alone": True, "fetched": {**json.loads(printed), "built": built}}
    done = _entry("prepare", _seal(json.dumps(order).encode()) + buffer.getvalue())
    return done if built else _or_built(order, *done)


def _or_built(order: dict[str, Any], code: int, printed: bytes, words: str) -> tuple[int, bytes, str]:
    if code != _NEEDS_BUILD:
        return code, printed, words
    root = Path(order["folder"] + ".build")
    root.mkdir()
    build = {
        **order,
        "root": str(root),
        "out": f"{root}/out",
        "asked": json.loads(printed),
        "store": "",
        "alone": False,
    }
    code, printed, words = _entry("build", _seal(json.dumps(build).encode()))
    return _linked(order, root, printed, built=True) if code == 0 else (code, printed, words)


def _entry(mode: str, order: bytes) -> tuple[int, bytes, str]:
    return _call(["python3", "-I", _ENTRY, mode], Path("/tmp"), _ENV, order)


def main() -> None:
    """Cases as JSON on standard input, results as JSON on standard output, in the same order."""
    server = ThreadingHTTPServer(("127.0.0.1", PORT), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cases = json.load(sys.stdin)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        results = list(pool.map({"lock": lock, "compare": compare}[sys.argv[1]], cases))
    server.shutdown()
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
