"""A pipeline has the packages that `uv run` gives the same folder: asked in one container, from one index."""

import base64
import io
import os
import re
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from docker import DockerClient
from docker.models.containers import Container
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_rules.folder import Entry, Folder, Invalid, inspect
from fastflow_runner import testing
from fastflow_runner.core.orders import prepare_order
from fastflow_runner.entry.sealed import HEAD_BYTES
from fastflow_runner.settings import RunnerSettings
from fastflow_runner.testing.builders import a_specification
from fastflow_runner.testing.tiny_packages import content_of, index_of
from msgspec import Struct, json, structs

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("as-uv-does"), pytest.mark.timeout(900)]
DECLARATIONS = Path(__file__).parent / "declarations"
DRIVER = Path(testing.__file__).parent / "as_uv.py"
LISTING = """
import importlib.metadata, json
found = [[d.name, d.version, d.metadata.get("Summary")] for d in importlib.metadata.distributions()]
print(json.dumps(sorted(each for each in found if each[0] not in ("pip", "setuptools", "wheel"))))
"""
PROJECT = '[project]\nname = "root"\nversion = "0"\nrequires-python = ">=3.11"\n'


class Case(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of saying which packages a script needs."""

    name: str
    block: str = ""
    """Of PEP 723, without its `#`."""
    requirements: str = ""
    project: str = ""
    """Of `pyproject.toml`, without its name and version."""
    files: dict[str, str] = {}
    after: dict[str, str] = {}
    """Files that are written when the lock is there."""
    lock: str = ""
    run: list[str] = []
    file: str = "requirements.txt"
    encoding: str = "utf-8"
    bom: bool = False
    pip: bool = False
    """Compared with `uv pip install`."""
    refused: str = ""
    """What is said, where nothing is installed."""

    def contents(self) -> dict[str, bytes]:
        """Every file before there is a lock."""
        block = "".join(f"# {line}".rstrip() + "\n" for line in self.block.strip().splitlines())
        script = ("# A first line.\n" if self.bom else "") + (f"# /// script\n{block}# ///\n" if block else "")
        found = {"main.py": (script + LISTING).encode("utf-8-sig" if self.bom else "utf-8")}
        if self.requirements:
            found["requirements.txt"] = self.requirements.encode(self.encoding)
        if self.project:
            found["pyproject.toml"] = f"{PROJECT}{self.project.strip()}\n".encode()
        return {**found, **{path: content_of(path, text) for path, text in self.files.items()}}


def _cases() -> list[Case]:
    found = []
    for kind in ("scripts", "requirements", "locks"):
        for result in tomllib.loads((DECLARATIONS / f"{kind}.toml").read_text())["case"]:
            case = json.decode(json.encode(result), type=Case)
            found.append(structs.replace(case, name=f"{kind}: {case.name}"))
    return found


CASES = _cases()


def _judged(contents: Mapping[str, bytes]) -> Requirements | str:
    """What git_sync makes of the folder: its packages, or why it is no pipeline."""
    entries = [Entry(path=path, mode="100644", oid=path, size=len(content)) for path, content in contents.items()]
    found = inspect(Folder(name="tried", tree=""), entries, contents)
    return " ".join(found.errors) if isinstance(found, Invalid) else found.requirements


def _order(requirements: Requirements) -> dict[str, Any]:
    """What a preparation is told, but for the places in the container."""
    specification = structs.replace(a_specification("0" * 40), requirements=requirements)
    order = prepare_order(specification, None, root="", uv="", code="", env={}, key="00")
    body: dict[str, Any] = json.decode(order[HEAD_BYTES:])
    return {**body, "file": body["file"].lstrip("/")}


def _told(number: int, case: Case, contents: Mapping[str, bytes], **more: object) -> dict[str, object]:
    files = {path: base64.b64encode(content).decode() for path, content in contents.items()}
    return {"id": str(number), "name": case.name, "files": files, **more}


class Driver:
    """The container in which both are asked."""

    def __init__(self, container: Container) -> None:
        self._container = container

    def put(self, folder: str, files: Mapping[str, bytes]) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            for path, content in files.items():
                member = tarfile.TarInfo(path)
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))
        self._container.put_archive(folder, buffer.getvalue())

    def ask(self, what: str, fields: list[dict[str, object]]) -> list[dict[str, Any]]:
        self.put("/app", {"told.json": json.encode(fields)})
        done = self._container.exec_run(["sh", "-c", f"python3 /app/as_uv.py {what} </app/told.json"], demux=True)
        out, err = (bytes(part or b"") for part in done.output)
        assert done.exit_code == 0, err
        answers: list[dict[str, Any]] = json.decode(out)
        return answers


@pytest.fixture(scope="module")
def answers(engine: str) -> Iterator[dict[str, dict[str, Any]]]:
    """What each of the two says of every case."""
    client = DockerClient(base_url=f"unix://{engine}")
    labels = {"fastflow.tool": f"as-uv-{os.getpid()}"}
    container = client.containers.run(
        RunnerSettings().worker_image, ["3600"], entrypoint="sleep", network_mode="none", labels=labels,
        detach=True, init=True
    )  # fmt: skip
    try:
        driver = Driver(container)
        driver.put("/app", {"as_uv.py": DRIVER.read_bytes()})
        indexes = index_of((DECLARATIONS / "index.toml").read_text())
        driver.put("/tmp", {f"indexes/{path}": content for path, content in indexes.items()})
        folders = [case.contents() for case in CASES]
        locked = [n for n, case in enumerate(CASES) if case.lock or case.project]
        kinds = {n: CASES[n].lock or "project" for n in locked}
        locks = driver.ask("lock", [_told(n, CASES[n], folders[n], lock=kinds[n]) for n in locked])
        for n, files in zip(locked, locks, strict=True):
            folders[n] |= {path: base64.b64decode(content) for path, content in files.items()}
            folders[n] |= {path: content_of(path, text) for path, text in CASES[n].after.items()}
        judged = [_judged(folder) for folder in folders]
        seen = [
            _told(n, case, folders[n], order=_order(found), run=_run(case), pip=case.pip and case.file)
            for n, (case, found) in enumerate(zip(CASES, judged, strict=True))
            if isinstance(found, Requirements)
        ]
        result = zip(seen, driver.ask("compare", seen), strict=True)
        refusals = {case.name: {"words": found, "us": None} for case, found in zip(CASES, judged, strict=True)}
        yield {**refusals, **{str(each["name"]): answer for each, answer in result}}
    finally:
        container.remove(force=True)
        client.close()


def _run(case: Case) -> list[str]:
    packages = ["--with-requirements", case.file] if case.requirements else []
    return [*case.run, *packages]


def test_there_are_cases_of_every_kind() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 60


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_packages_are_those_of_uv_or_are_refused(case: Case, answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[case.name]
    if case.refused:
        assert answer["us"] is None
        assert re.search(case.refused, answer["words"]), answer["words"]
        assert "Traceback" not in answer["words"]
        return
    assert answer["us"] is not None, answer["words"]
    assert answer["us"] == answer["uv"], answer.get("uv_words")
