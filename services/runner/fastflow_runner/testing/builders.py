"""Bundles, specifications and launches with sensible defaults."""

import io
import secrets
import tarfile
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha1, sha256

import zstandard
from fastflow_events.aggregates.run.specification import Cell, Limits, Requirements, Specification
from msgspec import json

from fastflow_runner.ports import AttemptRef, Launch, Prepared

PYTHON = "3.11"
INSTALLATION = secrets.token_hex(4)
"""Whose containers those of this process are."""


def bundle_of(files: Mapping[str, str | bytes]) -> tuple[str, bytes]:
    """A made-up tree id and the bundle of the files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    archive = buffer.getvalue()
    return sha1(archive, usedforsecurity=False).hexdigest(), zstandard.ZstdCompressor().compress(archive)


def a_specification(
    tree: str,
    *,
    requirements: str = "",
    timeout_s: float | None = None,
    limits: Limits | None = None,
    entry_point: str = "main.py",
    cells: tuple[Cell, ...] | None = None,
) -> Specification:
    """A script with the given needs; a notebook when there are `cells`, be they none."""
    wanted = Requirements()
    if requirements:
        digest = sha256(requirements.encode()).hexdigest()
        wanted = Requirements(source="requirements", text=requirements, sha256=digest)
    return Specification(
        pipeline="tried",
        repository="tests",
        commit="0" * 40,
        tree=tree,
        python=PYTHON,
        requirements=wanted,
        timeout_s=timeout_s,
        limits=limits or Limits(pids=64),
        entry_point=entry_point if cells is None else "main.ipynb",
        kind="script" if cells is None else "notebook",
        cells=cells or (),
    )


def notebook_of(*cells: str | tuple[str, dict[str, object]], markdown: str = "") -> str:
    """A notebook of these code cells, each with its metadata if need be, behind a cell of text."""
    written: list[dict[str, object]] = []
    if markdown:
        written.append({"cell_type": "markdown", "id": "text", "metadata": {}, "source": markdown})
    for number, cell in enumerate(cells):
        source, metadata = cell if isinstance(cell, tuple) else (cell, {})
        common = {"cell_type": "code", "id": f"cell-{number}", "metadata": metadata, "source": source}
        written.append({**common, "outputs": [], "execution_count": None})
    return json.encode({"cells": written, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).decode()


def a_launch(
    specification: Specification,
    prepared: Prepared,
    *,
    run_id: str | None = None,
    attempt: int = 1,
    env: dict[str, str] | None = None,
    lease_s: float = 60.0,
) -> Launch:
    """An attempt of a new run, with a lease of a minute."""
    return Launch(
        ref=AttemptRef(run_id=run_id or str(uuid.uuid4()), attempt=attempt),
        specification=specification,
        prepared=prepared,
        env=env or {},
        nonce=uuid.uuid4().hex,
        not_after=datetime.now(UTC) + timedelta(seconds=lease_s),
    )
