"""`fastflow validate` judges a folder as the service would, for people, for hooks and for CI."""

import json
import subprocess
from pathlib import Path

import pytest
from fastflow_cli.checking import check
from fastflow_cli.commands.validate import validate
from fastflow_cli.errors import UsageError
from fastflow_cli.exits import Exit


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_right_pipelines_pass_and_wrong_ones_are_told_with_their_reasons(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    write(
        tmp_path, {"good/main.py": "", "docs/x.md": "", "bad/main.py": "", "bad/pipeline.json": '{"timeout": "soon"}'}
    )
    assert validate(tmp_path, json=True) == Exit.FAILED
    printed = json.loads(capsysbinary.readouterr().out)
    assert printed["valid"] is False
    assert [(item["pipeline"], bool(item["errors"])) for item in printed["items"]] == [("bad", True), ("good", False)]
    assert printed["items"][0]["errors"][0].startswith('pipeline.json: $.timeout: found "soon"')
    (tmp_path / "bad/pipeline.json").unlink()
    assert validate(tmp_path, json=True) == Exit.OK


def test_warnings_fail_only_where_somebody_is_strict(tmp_path: Path) -> None:
    write(tmp_path, {"hello/main.py": "", "hello/pipeline.json": '{"time_out": 5}'})
    assert validate(tmp_path) == Exit.OK
    assert validate(tmp_path, strict=True) == Exit.FAILED


def test_one_pipeline_alone_is_judged_with_the_file_of_its_repository(tmp_path: Path) -> None:
    write(tmp_path, {"fastflow.json": '{"concurrency_groups": {"db": 2}}', "hello/main.py": ""})
    write(tmp_path, {"hello/hello.json": '{"concurrency_group": "bd"}'})
    [found] = check(tmp_path / "hello")
    assert found.warnings == ('$.concurrency_group: fastflow.json has no group "bd"',)


def test_a_wrong_fastflow_json_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"fastflow.json": '{"defaults": {"timeout": "x"}}', "hello/main.py": ""})
    [file, _] = check(tmp_path)
    assert file.pipeline == "fastflow.json"
    assert "$.defaults.timeout" in file.errors[0]


def test_a_link_that_leads_out_and_a_missing_notebook_are_told(tmp_path: Path) -> None:
    write(tmp_path, {"a/main.py": "", "b/main.py": "", "b/pipeline.json": '{"type": "notebook"}'})
    (tmp_path / "a/data").symlink_to("/etc")
    (tmp_path / "a/inside").symlink_to("main.py")
    a, b = check(tmp_path)
    assert [error.split(",")[0] for error in a.errors] == ['"data" is a symbolic link to "/etc"']
    assert "no main.ipynb" in b.errors[0]


def test_what_git_ignores_is_not_looked_at(tmp_path: Path) -> None:
    write(
        tmp_path, {"hello/main.py": "", ".gitignore": ".venv\nignored/\n", "hello/.venv/x": "", "ignored/main.py": ""}
    )
    (tmp_path / "hello/.venv/python").symlink_to("/usr/bin/python3")
    [hello, ignored] = check(tmp_path)
    assert hello.errors != ()  # outside of a work tree everything counts
    assert ignored.errors == ()
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    [hello] = check(tmp_path)
    assert hello.errors == ()


def test_what_is_no_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        validate(tmp_path / "nothing")
