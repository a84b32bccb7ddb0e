import json
import os
from pathlib import Path

import pytest
from fastflow_runner.core import marks
from fastflow_runner.entry.leaving import read_route
from fastflow_runner.entry.markers import claim_start, write_exit, write_refused
from fastflow_runner.ports import Exit

MARKER: dict[str, object] = {
    "nonce": "n",
    "code": 3,
    "signal": None,
    "timed_out": False,
    "peak_memory_bytes": 1,
    "cpu_s": 0.5,
    "oom_kills": 0,
    "dropped_bytes": 0,
    "route": None,
    "at": 1.0,
}


def test_the_right_to_start_is_given_once(tmp_path: Path) -> None:
    assert claim_start(str(tmp_path), {"at": 1})
    assert not claim_start(str(tmp_path), {"at": 2})
    assert json.loads((tmp_path / "started").read_bytes()) == {"at": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["started"]


def test_a_refusal_says_why(tmp_path: Path) -> None:
    write_refused(str(tmp_path / "state"), "not_after", "too late")
    assert marks.refused((tmp_path / "state/refused").read_bytes()) == ("not_after", "too late")
    assert marks.refused(b"")[0] == "unknown"


@pytest.mark.parametrize("obstacle", ["nothing", "file", "link", "folder at exit.json", "pipe at exit.json"])
def test_the_end_is_written_whatever_the_script_did_to_the_folder(tmp_path: Path, obstacle: str) -> None:
    state = tmp_path / "state"
    match obstacle:
        case "file":
            state.write_text("x")
        case "link":
            (tmp_path / "elsewhere").mkdir()
            state.symlink_to(tmp_path / "elsewhere")
        case "folder at exit.json":
            (state / "exit.json/x").mkdir(parents=True)
        case "pipe at exit.json":
            state.mkdir()
            os.mkfifo(state / "exit.json")
        case _:
            assert obstacle == "nothing"
    write_exit(str(state), MARKER)
    assert not state.is_symlink()
    known = marks.completed(Exit(exit_code=3), (state / "exit.json").read_bytes(), "n")
    assert (known.marker_code, known.cpu_s) == (3, 0.5)


@pytest.mark.parametrize("marker", [b"", b"{}", b"[]", json.dumps({**MARKER, "nonce": "other"}).encode()])
def test_a_marker_without_the_nonce_proves_nothing(marker: bytes) -> None:
    assert marks.completed(Exit(exit_code=0), marker, "n") == Exit(exit_code=0)


@pytest.mark.parametrize(("content", "route"), [(" a b \n", "a b"), ("", None), ("  ", None), ("x" * 1024, "x" * 1024)])
def test_a_route_is_what_was_written_without_blanks_around(tmp_path: Path, content: str, route: str | None) -> None:
    (tmp_path / "route").write_text(content)
    assert read_route(str(tmp_path / "route")) == (route, "")


def test_no_route_is_read_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "long").write_text("x" * 1025)
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(tmp_path / "pipe")
    no_file = "it is no readable file"
    for name, why in (("long", "it is larger than 1024 bytes"), ("link", no_file), ("pipe", no_file), ("absent", "")):
        assert read_route(str(tmp_path / name)) == (None, why)
