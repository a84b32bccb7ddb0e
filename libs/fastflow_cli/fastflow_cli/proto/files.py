"""The files of `proto/`: what they hold, whether they are fresh, what they promise."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from fastflow_events.catalogue import facts
from fastflow_events.envelope import Reader
from fastflow_events.errors import ContractError
from fastflow_events.fact import UnknownFact
from fastflow_rules.definition.repository import repository_schema
from fastflow_rules.definition.schema import pipeline_schema

from fastflow_cli.errors import CliError
from fastflow_cli.proto import asyncapi, yaml
from fastflow_cli.proto.compatibility import broken
from fastflow_cli.proto.messages import changed_arguments, messages
from fastflow_cli.proto.readme import readme
from fastflow_cli.proto.samples import sample_of
from fastflow_cli.proto.schemas import schema_of


def text_of(value: object) -> str:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def openapi() -> dict[str, Any]:
    """The contract over HTTP, as the gateway tells it in a process of its own.

    Raises:
        CliError: the gateway does not tell it.
    """
    argv = [sys.executable, "-m", "fastflow_gateway.openapi"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CliError(f"the gateway does not tell its contract: {done.stderr.strip()[-500:]}", fix=" ".join(argv))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def generated() -> dict[str, str]:
    """Path below `proto/` to content, for everything that may be written anew."""
    known = facts()
    return {
        **{f"events/{type_}.schema.json": text_of(schema_of(type_, cls)) for type_, cls in known.items()},
        "asyncapi.yaml": yaml.dump(asyncapi.document(known)),
        "openapi.json": text_of(openapi()),
        "messages.json": text_of(messages()),
        "pipeline.schema.json": text_of(pipeline_schema()),
        "fastflow.schema.json": text_of(repository_schema()),
        "README.md": readme(known),
    }


def new_samples(folder: Path) -> dict[str, str]:
    """Path to content of the golden messages that are not there yet; those that are never change."""
    wanted = {f"samples/{type_}.json": (type_, cls) for type_, cls in facts().items()}
    return {path: text_of(sample_of(*fact)) for path, fact in wanted.items() if not (folder / path).exists()}


def write(folder: Path) -> list[str]:
    """Bring the folder up to date; returns the paths that changed."""
    content = {**generated(), **new_samples(folder)}
    changed = [path for path, text in content.items() if _read(folder / path) != text]
    for path in changed:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content[path])
    gone = superfluous(folder, content)
    for path in gone:
        (folder / path).unlink()
    return [*changed, *gone]


def stale(folder: Path) -> list[str]:
    """What is not as it would be written now, in words."""
    content = {**generated(), **new_samples(folder)}
    old = [f"{path} is stale" for path, text in content.items() if _read(folder / path) != text]
    return old + [f"{path} belongs to no fact" for path in superfluous(folder, content)]


def superfluous(folder: Path, content: dict[str, str]) -> list[str]:
    """Schemas of facts that are no more."""
    have = (path.relative_to(folder).as_posix() for path in sorted((folder / "events").glob("*.schema.json")))
    return [path for path in have if path not in content]


def undecodable(folder: Path) -> list[str]:
    """Golden messages that this release no longer reads, in words."""
    facts()
    reader, found = Reader(), []
    for file in sorted((folder / "samples").glob("*.json")):
        try:
            sample = json.loads(file.read_text())
            body = msgspec.json.encode(sample["body"])
            recorded = reader.recorded(1, sample["subject"], sample["headers"], body)
        except (ContractError, KeyError, ValueError) as exc:
            found.append(f"samples/{file.name} no longer decodes: {exc!r}")
            continue
        if isinstance(recorded.fact, UnknownFact):
            found.append(f"samples/{file.name}: nobody knows this fact any more")
    return found


def broken_promises(folder: Path, base: str) -> list[str]:
    """What the schemas and samples take back against a revision of the repository, in words."""
    found = []
    for path, text in committed(folder, base).items():
        now = _read(folder / path)
        if path.startswith("samples/") and now != text:
            found.append(f"{path} is golden and was changed or removed")
        if path.startswith("events/") and now is not None:
            found += [f"{path}: {what}" for what in broken(json.loads(text), json.loads(now))]
        if path == "messages.json" and now is not None:
            found += [f"{path}: {what}" for what in changed_arguments(json.loads(text), json.loads(now))]
    return found


def committed(folder: Path, base: str) -> dict[str, str]:
    """Path below `proto/` to content at a revision; empty outside a repository and before the first commit."""
    names = _git(folder, "ls-tree", "-r", "--name-only", base, "--", "./events", "./samples", "./messages.json")
    return {name: _git(folder, "show", f"{base}:./{name}") for name in names.splitlines() if name.endswith(".json")}


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else ""


def _read(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
