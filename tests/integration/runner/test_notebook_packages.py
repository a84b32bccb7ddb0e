"""What executes a notebook is resolved together with what its pipeline names, from wherever it names it."""

import re
import sys
import tomllib
from pathlib import Path

import pytest
from fastflow_events.aggregates.run.specification import Specification
from fastflow_runner.core.orders import input_name, prepare_order
from fastflow_runner.entry.installing import resolve
from fastflow_runner.entry.locks import is_pylock
from fastflow_runner.entry.sealed import HEAD_BYTES
from fastflow_runner.entry.uv import Uv
from fastflow_runner.entry.wanted import wanted
from fastflow_runner.testing.builders import notebook_of
from fastflow_runner.testing.environment_contract import PROJECT, Source, from_source, lock_of
from fastflow_runner.testing.tools import find_uv
from msgspec import json, structs

BLOCK = '# /// script\n# dependencies = ["idna==3.10"]\n# ///\n'


def lock_for(specification: Specification, folder: Path) -> list[str]:
    """Names and versions in the lock."""
    root, uv = str(folder / "uv"), find_uv()
    sealed = prepare_order(specification, None, root=root, uv=uv, code=str(folder), env={}, key="00")
    order = json.decode(sealed[HEAD_BYTES:])
    binary = Uv(uv, root, {})
    lock = resolve(binary, sys.executable, wanted(order, binary), str(folder))
    if is_pylock(lock):
        return [f"{package['name']}=={package['version']}" for package in tomllib.loads(lock)["packages"]]
    return re.findall(r"(?m)^([a-z0-9-]+==[^ ;]+)", lock)


def as_notebook(specification: Specification) -> Specification:
    return structs.replace(specification, kind="notebook", entry_point="main.ipynb")


@pytest.mark.parametrize("source", ["none", "pep723", "uv_lock", "requirements_lock", "requirements"])
def test_what_executes_it_is_added_to_what_the_pipeline_names(source: Source, tmp_path: Path) -> None:
    uv_lock = lock_of(PROJECT, tmp_path) if source == "uv_lock" else ""
    texts = {"none": "", "pep723": BLOCK, "uv_lock": uv_lock}
    specification = as_notebook(from_source("0" * 40, source, texts.get(source, "idna==3.10\n")))
    names = lock_for(specification, tmp_path)
    assert {"nbclient", "ipykernel"} <= {name.partition("==")[0] for name in names}
    assert ("idna==3.10" in names) == (source != "none")


def test_a_block_that_did_not_travel_is_read_from_the_notebook(tmp_path: Path) -> None:
    (tmp_path / "main.ipynb").write_text(notebook_of("1", BLOCK, "2"))
    specification = as_notebook(from_source("0" * 40, "pep723", BLOCK))
    silent = structs.replace(specification, requirements=structs.replace(specification.requirements, text=""))
    assert "idna==3.10" in lock_for(silent, tmp_path)


def test_what_the_pipeline_names_itself_is_left_as_it_is(tmp_path: Path) -> None:
    text = "IPykernel<6.25\nnbclient==0.8.0\n"
    names = lock_for(as_notebook(from_source("0" * 40, "requirements", text)), tmp_path)
    assert "nbclient==0.8.0" in names
    assert any(name.startswith("ipykernel==6.24") for name in names)


def test_a_script_and_a_notebook_with_the_same_packages_do_not_share_a_lock() -> None:
    script = from_source("0" * 40, "requirements", "idna==3.10\n")
    assert input_name(script, None, "x") != input_name(as_notebook(script), None, "x")
