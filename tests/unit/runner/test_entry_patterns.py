"""A pattern of artifacts names what `glob` names, and a link leads nowhere."""

import glob
import os
import tempfile
from pathlib import Path

import pytest
from fastflow_runner.entry.patterns import matching
from hypothesis import example, given
from hypothesis import strategies as st

NAMES = ["a", "b.txt", ".hidden", "c1", "[x]"]
PATHS = st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), max_size=6)
STEPS = st.sampled_from(
    ["*", "**", "a", "b.txt", "*.txt", ".*", "?", "[ab]*", "c[0-9]", ".hidden", "[[]x]", "[!a]*", "**b*"]
)


def grown(below: Path, paths: list[list[str]]) -> None:
    for path in paths:
        file = below.joinpath(*path)
        if not file.exists() and all(not parent.is_file() for parent in file.parents):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("x")


@example([["b.txt"]], ["b.txt", "**"])  # Python 3.11 names the file with a slash behind it, which no file has
@given(PATHS, st.lists(STEPS, min_size=1, max_size=4))
def test_without_links_it_is_what_glob_finds(paths: list[list[str]], steps: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        below = Path(folder)
        grown(below, paths)
        pattern = "/".join(steps)
        found = glob.glob(pattern, root_dir=below, recursive=True)  # noqa: PTH207 - the reference
        assert {*matching(pattern, folder)} == {path for path in found if (below / path).is_file() and path[-1] != "/"}


@given(PATHS, st.lists(STEPS, min_size=1, max_size=4), st.lists(st.sampled_from(["a", "a/c1", "l", "a/l"]), max_size=3))
def test_nothing_is_found_by_way_of_a_link(paths: list[list[str]], steps: list[str], links: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        below, outside = Path(folder, "app"), Path(folder, "outside")
        below.mkdir()
        grown(outside, [["a", "b.txt"], ["b.txt"], ["c1", "a", "b.txt"]])
        for number, link in enumerate(links):
            at = below / link
            if at.parent.is_dir() and not at.parent.is_symlink() and not os.path.lexists(at):
                at.symlink_to(outside if number % 2 else below)
        grown(below, [path for path in paths if not any((below / step).is_symlink() for step in path[:1])])
        for path in matching("/".join(steps), str(below)):
            parents = [*(below / path).parents][: path.count("/")]
            assert not any(parent.is_symlink() for parent in parents)


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../outside", "a/../../x", "", ".", "a//b"])
def test_no_pattern_leaves_the_folder(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "outside").write_text("x")
    assert not [*matching(pattern, str(tmp_path / "app"))]


def test_a_folder_that_became_a_link_holds_nothing(tmp_path: Path) -> None:
    grown(tmp_path / "real", [["a"]])
    (tmp_path / "app").symlink_to(tmp_path / "real")
    assert not [*matching("**/*", str(tmp_path / "app"))]
    assert [*matching("**/**/*", str(tmp_path / "real"))] == ["a"]
