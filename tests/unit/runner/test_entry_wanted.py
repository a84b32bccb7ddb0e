from hashlib import sha256
from pathlib import Path

import pytest
from fastflow_runner.entry.blocks import block_of
from fastflow_runner.entry.locks import with_built
from fastflow_runner.entry.uv import RefusedError, Uv, hidden, scrubbed
from fastflow_runner.entry.wanted import NotStagedError, Wanted, needs_building, wanted
from fastflow_runner.testing.tools import find_uv

BLOCK = '# /// script\n# requires-python = ">=3.12"\n# dependencies = ["idna"]\n# ///\n'


def asked(source: str, text: str = "", **more: str) -> Wanted:
    order = {"source": source, "text": text, "sha256": "", "folder": "/nowhere", "file": "/nowhere/main.py", **more}
    return wanted(order, Uv(find_uv(), "/nowhere", {}))


def test_a_pipeline_without_packages_wants_nothing() -> None:
    assert asked("none") == Wanted()


def test_a_block_says_its_packages_and_its_python() -> None:
    assert asked("pep723", BLOCK) == Wanted(script=BLOCK, requires=">=3.12")


def test_a_block_that_says_something_of_uv_is_told_uv_as_a_project() -> None:
    block = '# /// script\n# dependencies = ["idna"]\n# [tool.uv]\n# exclude-newer = "2026-01-01"\n# ///\n'
    found = asked("pep723", block)
    assert found.project == (
        '[project]\nname = "the-script"\nversion = "0"\n'
        'dependencies = ["idna"]\n[tool.uv]\nexclude-newer = "2026-01-01"\n'
    )
    assert (found.script, found.heeding) == ("", True)


@pytest.mark.parametrize(
    "body", ["dependencies = [", 'dependencies = "idna"', "requires-python = 3\ndependencies = []"]
)
def test_a_block_that_cannot_be_read_is_refused(body: str) -> None:
    lines = "".join(f"# {line}\n" for line in body.splitlines())
    with pytest.raises(RefusedError, match="the block that names its packages"):
        asked("pep723", f"# /// script\n{lines}# ///\n")


def test_a_block_too_long_to_travel_is_read_from_the_script(tmp_path: Path) -> None:
    script = tmp_path / "main.py"
    script.write_text(f"#!/usr/bin/env python\n{BLOCK}import idna\n")
    digest = sha256(BLOCK.encode()).hexdigest()
    assert asked("pep723", file=str(script), sha256=digest).script == BLOCK
    with pytest.raises(RefusedError, match="not the file"):
        asked("pep723", file=str(script), sha256="0" * 64)


def test_code_that_is_not_there_is_asked_for_again() -> None:
    with pytest.raises(NotStagedError, match=r"main\.py is not staged"):
        asked("pep723")


def test_a_source_this_version_does_not_know_is_refused() -> None:
    with pytest.raises(RefusedError, match="conda"):
        asked("conda", "x")


def test_two_blocks_are_none() -> None:
    assert block_of(BLOCK + "\n" + BLOCK) == ""
    assert block_of("# /// script\n# x = 1\nprint()\n# ///\n") == ""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("idna==3.10", False),
        ("x @ git+https://host/x@v1", True),
        ("git+https://host/x.git", True),
        ("x @ https://host/x-1.tar.gz#sha256=00", True),
        ("x @ https://host/x-1-py3-none-any.whl", False),
        ("# x @ git+https://host/x", False),
        ("--extra-index-url https://host/x.zip", False),
    ],
)
def test_sources_are_told_from_wheels(line: str, found: bool) -> None:
    assert needs_building(f"{line}\n") is found


def test_what_was_built_stands_for_its_sources(tmp_path: Path) -> None:
    wheel = tmp_path / "doc_opt-0.6.2-py3-none-any.whl"
    wheel.write_bytes(b"wheel")
    lock = "doc.opt==0.6.2 ; python_version > '3' \\\n    --hash=sha256:00\nsix==1 \\\n    --hash=sha256:11\n"
    digest = sha256(b"wheel").hexdigest()
    assert with_built(lock, [str(wheel)]) == (
        f"doc.opt @ file://{wheel} ; python_version > '3' --hash=sha256:{digest}\nsix==1 \\\n    --hash=sha256:11\n"
    )


def test_nothing_secret_is_said() -> None:
    settings = {"UV_INDEX_A_PASSWORD": "pa ss", "UV_INDEX_A_USERNAME": "me", "UV_DEFAULT_INDEX": "https://u:deep@h/s"}
    words = scrubbed("401 for https://x:y@h/s with pa ss, deep", hidden(settings))
    assert words == "401 for https://****@h/s with ****, ****"
