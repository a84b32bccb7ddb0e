"""A folder is a pipeline, an invalid one with reasons, or nothing at all."""

import hashlib
import json

import pytest
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_rules.folder import Entry, Folder, Invalid, Judged, Runnable, inspect, is_name, is_pipeline, wanted
from fastflow_rules.folder.requirements import INLINE_BYTES, requirements, requires_python, script_block
from hypothesis import given
from hypothesis import strategies as st

FOLDER = Folder(name="sales", tree="1" * 40)


def folder_with(files: dict[str, str | bytes], links: dict[str, str] | None = None, **modes: str) -> Judged | None:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    contents |= {path: target.encode() for path, target in (links or {}).items()}
    entries = [
        Entry(
            path=path,
            mode="120000" if path in (links or {}) else modes.get(path.replace(".", "_"), "100644"),
            oid=hashlib.sha1(content, usedforsecurity=False).hexdigest(),
            size=len(content),
        )
        for path, content in sorted(contents.items())
    ]
    if not is_pipeline(entries):
        return None
    read: dict[str, bytes] = {}
    while more := wanted(FOLDER, entries, read):
        read |= {entry.path: contents[entry.path] for entry in more}
    return inspect(FOLDER, entries, read)


def runnable(files: dict[str, str | bytes], links: dict[str, str] | None = None, **modes: str) -> Runnable:
    judged = folder_with(files, links, **modes)
    assert isinstance(judged, Runnable), judged
    return judged


def reasons(files: dict[str, str | bytes], links: dict[str, str] | None = None) -> tuple[str, ...]:
    judged = folder_with(files, links)
    assert isinstance(judged, Invalid), judged
    return judged.errors


def test_a_folder_with_main_py_is_a_pipeline_with_defaults() -> None:
    found = runnable({"main.py": "print(1)"})
    assert found.definition.kind == "script"
    assert found.requirements == Requirements()


def test_a_folder_without_an_entry_point_is_no_pipeline() -> None:
    assert folder_with({"README.md": "", "pipeline.json": "{"}) is None
    assert folder_with({"main.py": ""}, main_py="160000") is None


def test_a_folder_with_only_a_notebook_is_a_notebook() -> None:
    text = '{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}'
    assert runnable({"main.ipynb": text}).definition.kind == "notebook"
    assert runnable({"main.ipynb": text, "main.py": ""}).definition.kind == "script"
    assert runnable({"main.ipynb": text, "pipeline.json": '{"type": "notebook"}'}).definition.kind == "notebook"


def test_a_type_without_its_entry_point_is_invalid() -> None:
    assert reasons({"main.py": "", "pipeline.json": '{"type": "notebook"}'}) == (
        'the type is "notebook", but there is no main.ipynb',
    )


def test_metadata_is_pipeline_json_and_else_the_file_named_like_the_folder() -> None:
    own: dict[str, str | bytes] = {"main.py": "", "sales.json": '{"description": "own"}', "other.json": "{"}
    assert runnable(own).definition.description == "own"
    assert runnable({**own, "pipeline.json": '{"description": "first"}'}).definition.description == "first"


@pytest.mark.parametrize("broken", ["{", "[]", '{"enabled": "no"}', '{"default_env": {"A": 1}}', b"\xff"])
def test_broken_metadata_makes_the_pipeline_invalid_with_the_reason(broken: str | bytes) -> None:
    [reason] = reasons({"main.py": "", "pipeline.json": broken})
    assert reason.startswith("pipeline.json: $")


def test_an_enormous_metadata_file_is_not_read() -> None:
    [reason] = reasons({"main.py": "", "pipeline.json": " " * 300_000})
    assert "300000 bytes" in reason


def test_a_link_that_leads_out_makes_the_pipeline_invalid() -> None:
    [reason] = reasons({"main.py": ""}, {"data": "../../etc"})
    assert reason.startswith('"data" is a symbolic link to "../../etc"')


def test_an_entry_point_or_metadata_that_is_a_link_is_invalid() -> None:
    assert reasons({"real.py": ""}, {"main.py": "real.py"}) == (
        "main.py is a symbolic link; it has to be a regular file",
    )
    assert reasons({"main.py": ""}, {"pipeline.json": "x.json"}) == ("pipeline.json is no regular file",)


def test_a_submodule_is_left_out_and_said() -> None:
    found = runnable({"main.py": "", "vendor": ""}, vendor="160000")
    assert found.definition.warnings == ('submodules are left out of the code: "vendor"',)


def test_many_errors_are_cut_short() -> None:
    errors = reasons({"main.py": ""}, {f"l{n}": "/etc" for n in range(50)})
    assert len(errors) == 21
    assert errors[-1] == "and 30 more"


@pytest.mark.parametrize(
    ("files", "source"),
    [
        ({}, "none"),
        ({"requirements.txt": "# nothing\n\n"}, "none"),
        ({"requirements.txt": "requests\n"}, "requirements"),
        ({"requirements.txt": "requests\n", "requirements.txt.lock": "requests==2.32.0\n"}, "requirements_lock"),
        ({"requirements.txt": "requests\n", "uv.lock": "x", "pyproject.toml": "y"}, "uv_lock"),
        ({"requirements.txt.lock": "requests==2\n", "uv.lock": "x", "pyproject.toml": "y"}, "uv_lock"),
        ({"requirements.txt": "# nothing\n", "requirements.txt.lock": "requests==2.32.0\n"}, "requirements_lock"),
        ({"uv.lock": "x", "pyproject.toml": "y"}, "uv_lock"),
        ({"uv.lock": "x"}, "none"),
        ({"main.py": '# /// script\n# dependencies = ["requests"]\n# ///\n'}, "pep723"),
        ({"main.py": '# /// script\n# requires-python = ">=3.11"\n# ///\n'}, "none"),
        (
            {
                "main.py": '# /// script\n# dependencies = ["requests"]\n# ///\n',
                "uv.lock": "x",
                "pyproject.toml": "y",
                "requirements.txt": "requests\n",
            },
            "pep723",
        ),
        ({"main.py": "# /// script\n# dependencies = []\n# ///\n", "requirements.txt": "requests\n"}, "requirements"),
    ],
)
def test_where_packages_come_from(files: dict[str, str], source: str) -> None:
    assert requirements(files).source == source


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ({"main.py": '# /// script\n# requires-python = ">=3.12"\n# ///\n'}, ">=3.12"),
        ({"main.py": "# /// script\n# dependencies = []\n# ///\n"}, None),
        ({"main.py": '# /// script\n# requires-python = "new; rm"\n# ///\n'}, None),
        ({"main.py": "", "uv.lock": "x", "pyproject.toml": '[project]\nrequires-python = ">=3.9,<4"\n'}, ">=3.9,<4"),
        ({"main.py": "", "uv.lock": "x", "pyproject.toml": "project = 3"}, None),
        ({"main.py": "", "pyproject.toml": '[project]\nrequires-python = ">=3.9"\n'}, None),
    ],
)
def test_which_python_a_folder_asks_for(files: dict[str, str], text: str | None) -> None:
    assert requires_python(files) == text


def test_the_hash_covers_included_files_and_long_texts_stay_in_the_bundle() -> None:
    files = {"requirements.txt": "-r more/base.txt\nrequests\n", "more/base.txt": "-r ../requirements.txt\n-r x.txt\n"}
    files["more/x.txt"] = "pandas\n"
    found = requirements(files)
    assert found.text == "pandas\nrequests\n"
    assert requirements({**files, "more/x.txt": "numpy\n"}).sha256 != found.sha256
    long = requirements({"requirements.txt": "a==1\n" * INLINE_BYTES})
    assert long.text == ""
    assert long.sha256
    assert requirements({"requirements.txt": "\x01" * (INLINE_BYTES // 2)}).text == ""


def test_a_script_block_is_taken_as_it_stands() -> None:
    source = "#!/usr/bin/env python\n# /// script\n# dependencies = []\n#\n# ///\nprint(1)\n# ///\n"
    assert script_block(source) == "# /// script\n# dependencies = []\n#\n# ///\n"
    assert script_block("# /// script\nprint(1)\n# ///\n") == ""
    assert script_block("# /// script\n# ///\n# /// script\n# ///\n") == ""


def test_a_folder_name_has_to_fit_into_a_subject() -> None:
    assert is_name("Büro Köln 2.0")
    assert not is_name("x" * 201)
    assert not is_name("\udcff")


@given(st.binary())
def test_whatever_the_metadata_holds_the_folder_is_judged(raw: bytes) -> None:
    assert folder_with({"main.py": "", "pipeline.json": raw}) is not None


@given(st.text())
def test_whatever_the_requirements_hold_they_are_read(text: str) -> None:
    found = requirements({"requirements.txt": text, "main.py": text})
    assert json.dumps(found.text) is not None


POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'a' * 64}\nsize 12345\n"


def test_files_in_git_lfs_are_warned_of_and_an_entry_point_there_is_refused() -> None:
    found = runnable({"main.py": "1", **{f"data{n}.bin": POINTER for n in range(7)}})
    [warning] = found.definition.warnings
    assert warning.startswith('the content of files in Git LFS is not fetched, runs see the pointers: "data0.bin"')
    assert warning.endswith("and 2 more")
    [reason] = reasons({"main.py": POINTER})
    assert reason == '"main.py" is a Git LFS pointer; its content is not fetched'
    assert "requirements.txt" in reasons({"main.py": "1", "requirements.txt": POINTER})[0]
