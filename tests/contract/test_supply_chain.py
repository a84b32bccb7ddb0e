"""What this repository is built from and by is named so that nobody can put something else in its place."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEP = re.compile(r"uses: +(\S+)")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}\Z")


def test_every_step_of_others_is_pinned_to_a_commit() -> None:
    steps = [
        step for file in (ROOT / ".github" / "workflows").glob("*.y*ml") for step in STEP.findall(file.read_text())
    ]
    assert steps
    assert [step for step in steps if not PINNED.match(step)] == []


def test_every_locked_file_has_its_hash() -> None:
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    files = [
        (package["name"], file)
        for package in packages
        for file in [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    ]
    assert len(files) > 50
    assert [name for name, file in files if not re.fullmatch(r"sha256:[0-9a-f]{64}", file.get("hash", ""))] == []


def test_the_readme_says_why_each_dependency_is_there() -> None:
    table = (ROOT / "README.md").read_text().partition("## Dependencies")[2].partition("\n## ")[0]
    wanted = {
        re.split(r"[^A-Za-z0-9_.-]", requirement)[0]
        for file in ROOT.glob("*/*/pyproject.toml")
        for requirement in tomllib.loads(file.read_text())["project"].get("dependencies", ())
    }
    assert len(wanted) > 15
    assert {name for name in wanted if not name.startswith("fastflow") and f"`{name}`" not in table} == set()
