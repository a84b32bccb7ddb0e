"""What is executed for an attempt: a script, or the driver of a notebook, directly or by way of uv; pure."""

from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES, Specification
from msgspec import json

from fastflow_runner.core.attempt_paths import AttemptPaths
from fastflow_runner.entry.blocks import block_packages
from fastflow_runner.entry.wanted import unnamed
from fastflow_runner.ports import Launch

EXECUTED = "main.executed.ipynb"
"""Name of a notebook with its results, among the artifacts."""
_FILES = {
    "uv_lock": "uv.lock",
    "script_lock": "main.py.lock",
    "requirements_lock": "requirements.txt.lock",
    "requirements": "requirements.txt",
}


def file_of(specification: Specification) -> str:
    """Name of the file in the pipeline's folder that names its packages; empty without packages."""
    source = specification.requirements.source
    return specification.entry_point if source == "pep723" else _FILES.get(source, "")


def argv_of(launch: Launch, paths: AttemptPaths, grace_s: float) -> list[str]:
    """What is executed in the folder of the code."""
    specification, interpreter = launch.specification, launch.prepared.interpreter
    is_notebook = specification.kind == "notebook"
    program = _driver(launch, paths, grace_s) if is_notebook else ["-u", specification.entry_point]
    if specification.isolation != "jit":
        return [interpreter, *program]
    source = specification.requirements.source
    file = file_of(specification) if source in {"requirements", "requirements_lock"} else ""
    packages = ["--with-requirements", file] if file else []
    if is_notebook:
        # Only a script can tell uv itself what it needs.
        text = specification.requirements.text
        own = block_packages(text) if source == "pep723" else []
        ours = unnamed(NOTEBOOK_PACKAGES, own or text.splitlines())
        packages += [part for package in (*own, *ours) for part in ("--with", package)]
        return [interpreter, "run", "--python", specification.python, *packages, "--", "python", *program]
    return [interpreter, "run", "--python", specification.python, *packages, specification.entry_point]


def _driver(launch: Launch, paths: AttemptPaths, grace_s: float) -> list[str]:
    """What executes a notebook: an interpreter's arguments."""
    specification = launch.specification
    order = {
        "notebook": specification.entry_point,
        "executed": f"{paths.artifacts}/{EXECUTED}",
        "progress": paths.progress_file,
        "scratch": paths.home,
        "cells": [(cell.retries, cell.delay_s) for cell in specification.cells],
        "secret": sorted({*specification.sealed_env, *specification.secrets}),
        "grace_s": grace_s,
    }
    # Apart from what lies beside the notebook: that is for its cells, and must not stand in for the driver's modules.
    return ["-I", "-u", paths.entry, "notebook", json.encode(order).decode()]


def jit_env(paths: AttemptPaths) -> dict[str, str]:
    """Variables of uv, for an attempt that installs for itself."""
    return {
        "PYTHONUNBUFFERED": "1",
        "UV_CACHE_DIR": f"{paths.cache}/uv",
        "UV_PYTHON_INSTALL_DIR": f"{paths.cache}/python",
        "UV_PYTHON_PREFERENCE": "system",
        "UV_NO_PROGRESS": "1",
    }
