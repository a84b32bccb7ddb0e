"""Credentials reach the index that the runner's owner named, in every way uv's settings can say them."""

import base64
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastflow_runner.entry.uv import uv_of
from fastflow_runner.testing.private_index import IndexHandler, served
from fastflow_runner.testing.tiny_packages import wheel
from fastflow_runner.testing.tools import find_uv

FILE = "thing-1.0-py3-none-any.whl"


class _Index(IndexHandler):
    seen: list[str]

    def do_GET(self) -> None:  # noqa: N802 - the name that the standard library asks for
        answer = self.headers.get("Authorization", "")
        if answer:
            self.seen.append(f"{self.path} {base64.b64decode(answer.removeprefix('Basic ')).decode()}")
        status, body = (404, b"") if answer else (401, b"")
        if answer and self.path.endswith("/thing/"):
            status, body = 200, f'<a href="/files/{FILE}">{FILE}</a>'.encode()
        elif answer and self.path.endswith(FILE):
            status, body = 200, wheel("thing", "1.0")
        self.answer(status, body)

    do_HEAD = do_GET  # noqa: N815 - the name that the standard library asks for


@pytest.fixture
def index() -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []
    with served("127.0.0.1", type("Index", (_Index,), {"seen": seen})) as address:
        yield address.removeprefix("http://"), seen


@pytest.mark.parametrize(
    ("settings", "who"),
    [
        ({"UV_INDEX": "h=http://HOST/s", "UV_INDEX_H_USERNAME": "me", "UV_INDEX_H_PASSWORD": 'p "w'}, 'me:p "w'),
        ({"UV_INDEX": "house=http://HOST/s", "UV_INDEX_HOUSE_PASSWORD": "pw"}, ":pw"),
        ({"UV_DEFAULT_INDEX": "h-1=http://HOST/s", "UV_INDEX_H_1_USERNAME": "u", "UV_INDEX_H_1_PASSWORD": "p"}, "u:p"),
        ({"UV_INDEX": "house=http://to%40ken@HOST/s"}, "to@ken:"),
        ({"UV_INDEX": "http://me:p%20w@HOST/s"}, "me:p w"),
        ({"UV_EXTRA_INDEX_URL": "http://me:pw@HOST/s"}, "me:pw"),
        ({"UV_INDEX_URL": "http://me:pw@HOST/s"}, "me:pw"),
        ({"UV_FIND_LINKS": "http://me:pw@HOST/thing/"}, "me:pw"),
    ],
)  # fmt: skip
def test_credentials_reach_the_index_and_its_files(
    settings: dict[str, str], who: str, index: tuple[str, list[str]], tmp_path: Path
) -> None:
    host, seen = index
    env = {"UV_DEFAULT_INDEX": f"http://{host}/nothing"} if "UV_INDEX_URL" not in settings else {}
    env |= {name: value.replace("HOST", host) for name, value in settings.items()}
    with uv_of({"uv": find_uv(), "root": str(tmp_path), "env": env}) as uv:
        found = uv("pip", "compile", "-", "--no-header", "--no-annotate", "--python", sys.executable, text="thing\n")
    assert found == "thing==1.0\n"
    assert f"/files/{FILE} {who}" in seen
    assert {line.partition(" ")[2] for line in seen} == {who}
