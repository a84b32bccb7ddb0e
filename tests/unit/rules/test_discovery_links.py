"""Nothing a repository holds leads out of its pipeline's folder."""

import os
from pathlib import Path

import pytest
from fastflow_rules.folder.links import leaves, unsafe_links, unsafe_names
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "links",
    [
        {"a": "/etc/passwd"},
        {"a": "../other/main.py"},
        {"a": "sub/../../x"},
        {"sub/a": "../../x"},
        {"d": ".", "a": "d/../x"},
        {"d": "sub/..", "a": "d/../x"},
        {"a": "b", "b": "a"},
        {"a": "a"},
        {"a": ""},
        {"a": "x\0y"},
        {"d": "sub", "d2": "d/..", "a": "d2/../x"},
    ],
)
def test_a_link_that_leads_out_or_in_circles_is_named(links: dict[str, str]) -> None:
    assert unsafe_links(links)


@pytest.mark.parametrize(
    "links",
    [
        {},
        {"a": "main.py"},
        {"sub/a": "../main.py"},
        {"sub/a": "../sub/../main.py"},
        {"a": "nowhere"},
        {"d": "sub/deep", "a": "d/../x"},
        {"a": "./b//c"},
    ],
)
def test_a_link_inside_the_folder_is_allowed(links: dict[str, str]) -> None:
    assert unsafe_links(links) == []


@pytest.mark.parametrize(
    "paths",
    [
        ["../x"],
        ["a/../b"],
        ["."],
        ["a//b"],
        ["/a"],
        [".git/config"],
        ["a/.GIT/hooks"],
        ["x" * 256],
        ["a", "a"],
        ["a", "a/b"],
    ],
)
def test_an_impossible_path_is_named(paths: list[str]) -> None:
    assert unsafe_names(paths)


def test_ordinary_paths_are_allowed_whatever_their_letters() -> None:
    assert unsafe_names(["main.py", "büro/é x.txt", "a/b/c", ".gitignore", "a/...", "\udcff"]) == []


parts = st.sampled_from(["a", "b", "d", "..", "."])
targets = st.lists(parts, min_size=1, max_size=5).map("/".join)
names = st.sampled_from(["a", "b", "d/a", "d/b"])


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(names, targets, max_size=4))
def test_what_is_said_to_stay_inside_stays_inside_on_a_real_file_system(
    tmp_path_factory: pytest.TempPathFactory, links: dict[str, str]
) -> None:
    outer = tmp_path_factory.mktemp("links").resolve()
    folder = outer / "pipeline"
    (folder / "d").mkdir(parents=True)
    for path, target in links.items():
        (folder / path).symlink_to(target)
    for path in links:
        if not leaves(path, links):
            real = Path(os.path.realpath(folder / path))
            assert real == folder or folder in real.parents
