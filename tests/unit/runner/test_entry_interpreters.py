from pathlib import Path

import pytest
from fastflow_runner.entry.interpreters import Interpreters, checked, forget_known

KEY = b"key"


def _installed(folder: Path, name: str = "cpython-3.12.1-linux") -> Path:
    binary = folder / name / "bin/python3.12"
    binary.parent.mkdir(parents=True)
    binary.write_text("#!/bin/sh\n")
    (folder / "cpython-3.12-linux").symlink_to(name)
    return binary


def _looked_at(folder: Path, findings: list[str]) -> Interpreters:
    with checked(str(folder), KEY, findings, installing=False) as interpreters:
        return interpreters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "python"


def test_what_was_installed_just_now_is_sealed_and_believed_from_then_on(folder: Path) -> None:
    findings: list[str] = []
    with checked(str(folder), KEY, findings, installing=True) as interpreters:
        binary = _installed(folder)
        sealed = interpreters.sealed(str(folder / "cpython-3.12-linux/bin/python3.12"))
    assert list(sealed) == [str(binary.parents[1])]
    assert _looked_at(folder, findings).sealed(str(binary)) == sealed
    assert findings == []


@pytest.mark.parametrize("by", ["nobody", "somebody else", "us, and changed then"])
def test_an_interpreter_that_is_not_as_it_was_installed_is_there_no_more(folder: Path, by: str) -> None:
    binary = _installed(folder)
    if by != "nobody":
        Interpreters(str(folder), KEY if by.startswith("us") else b"another", {}).sealed(str(binary))
        binary.write_text("#!/bin/sh\n# poison\n")
    findings: list[str] = []
    _looked_at(folder, findings)
    assert len(findings) == 1
    assert [path.name for path in folder.iterdir()] == ["cpython-3.12.1-linux.spoiled"]


def test_a_link_to_an_interpreter_of_elsewhere_is_there_no_more(folder: Path, tmp_path: Path) -> None:
    binary = _installed(folder)
    Interpreters(str(folder), KEY, {}).sealed(str(binary))
    _installed(tmp_path / "elsewhere", "cpython-3.12.1-other")
    (folder / "cpython-3.13-linux").symlink_to(tmp_path / "elsewhere/cpython-3.12.1-other")
    _looked_at(folder, [])
    assert sorted(path.name for path in folder.iterdir()) == ["cpython-3.12-linux", "cpython-3.12.1-linux"]


def test_an_interpreter_of_the_machine_is_no_concern_of_ours(folder: Path) -> None:
    assert _looked_at(folder, []).sealed("/usr/bin/python3") == {}


def test_what_uv_remembers_of_interpreters_is_forgotten(tmp_path: Path) -> None:
    for name in ("interpreter-v4/x", "interpreter-v5/x", "archive-v0/x"):
        (tmp_path / name).mkdir(parents=True)
    forget_known(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["archive-v0"]
