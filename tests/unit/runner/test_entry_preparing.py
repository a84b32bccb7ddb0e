from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from fastflow_runner.entry.folder import inside, read
from fastflow_runner.entry.preparing import identity, names_of
from fastflow_runner.entry.requirements_text import has_packages, index_options, refusal
from hypothesis import given
from hypothesis import strategies as st

ABOUT = ["cpython", "3.11.7", "main", "Nov 1 2026", "linux-x86_64", "glibc", "2.36", "cpython-311"]
LOCK = "requests==2.32.0 \\\n    --hash=sha256:00\n"


def test_the_same_inputs_are_the_same_environment() -> None:
    assert identity(LOCK, ABOUT, "0.13.9") == identity(LOCK, list(ABOUT), "0.14.0")


@pytest.mark.parametrize("at", range(len(ABOUT)))
def test_another_interpreter_is_another_environment(at: int) -> None:
    other = [*ABOUT[:at], "other", *ABOUT[at + 1 :]]
    assert identity(LOCK, other, "0.13.9") != identity(LOCK, ABOUT, "0.13.9")


def test_another_lock_or_uv_is_another_environment() -> None:
    assert len({identity(LOCK, ABOUT, "0.1"), identity(LOCK + "\n", ABOUT, "0.1"), identity(LOCK, ABOUT, "1.0")}) == 3


@pytest.mark.parametrize(
    "line",
    [
        "-r other.txt",
        "-r ../other.txt",
        "-rother.txt",
        "--requirement=/proc/self/environ",
        "-r https://other/requirements.txt",
        "-c c.txt",
        "-c out/c.txt",
        "-e ..",
        "  --editable ../x",
        "-e out",
        "-\\\nr x",
        "/etc/x-1-py3-none-any.whl",
        "x @ file:///etc/x-1-py3-none-any.whl",
        "x @ file:../x-1-py3-none-any.whl",
        "x[more] @ ../x",
        "lib/../../x",
        "out/x-1-py3-none-any.whl",
        "x @ git+file:///srv/git",
        "--find-links ..",
        "--find-links=file:///srv/wheels",
        "-f/srv/wheels",
        "--index-url ../simple",
        "-r lib/nested.txt",
        "x @ https://${HOME}/x",
        "--extra-index-url https://h/${UV_INDEX_HOUSE_PASSWORD}/simple",
        "-r ${HOME}/x.txt",
    ],
)
def test_what_leads_out_of_the_folder_or_names_a_variable_is_refused(line: str, folder: Path) -> None:
    assert refusal(f"requests\n{line}\n", str(folder))


@pytest.mark.parametrize("option", ["-r more.txt", "-r ../x.txt", "-e .", "--index-url https://x", "idna"])
@pytest.mark.parametrize("before", ["", "requests\n"])
def test_a_mark_that_nobody_sees_hides_no_option(option: str, before: str, folder: Path) -> None:
    """uv passes over U+FEFF at the beginning of a file, and finds an option where others see the name of a package."""
    assert "U+FEFF" in (refusal(f"{before}\ufeff{option}\n", str(folder)) or "")
    assert refusal(f"# \ufeff{option}\n", str(folder)) is None
    (folder / "more.txt").write_text(f"\ufeff\ufeff\ufeff{option}\n")
    assert not (read(str(folder), "more.txt") or "").startswith("\ufeff")


@pytest.mark.parametrize(
    "line",
    [
        "requests>=2 # -r in a comment",
        "--index-url https://x/simple",
        "--pre",
        "-r more.txt",
        "-clib/../more.txt",
        "-e .",
        "-e ./lib[dev]",
        "lib/x-1-py3-none-any.whl --hash=sha256:00",
        "x @ file:./lib ; python_version > '3'",
        "x @ https://h/x-1-py3-none-any.whl#sha256=00",
        "x @ git+https://h/x@v1",
        "--find-links ./lib",
        "--find-links https://h/wheels",
    ],
)
def test_what_stays_in_the_folder_is_not_refused(line: str, folder: Path) -> None:
    assert refusal(f"requests\n{line}\n", str(folder)) is None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "f/lib").mkdir(parents=True)
    (tmp_path / "c.txt").write_text("")
    (tmp_path / "f/more.txt").write_text("idna\n")
    (tmp_path / "f/lib/nested.txt").write_text("-r ../../c.txt\n")
    (tmp_path / "f/out").symlink_to("..")
    return tmp_path / "f"


@given(st.lists(st.sampled_from(["..", ".", "lib", "out", "", "x", "more.txt"]), max_size=6))
def test_nothing_that_is_inside_leads_out_once_it_is_opened(parts: list[str]) -> None:
    with TemporaryDirectory() as here:
        folder = Path(here, "f")
        (folder / "lib").mkdir(parents=True)
        (folder / "out").symlink_to("..")
        (folder / "lib/x").symlink_to("../out")
        path = "/".join(parts)
        if inside(str(folder), path):
            assert (folder / path).resolve().is_relative_to(folder.resolve())


def test_where_packages_are_found_is_repeated_for_the_lock() -> None:
    text = "--extra-index-url https://a/simple\nrequests\n-i https://b/simple\n--pre\n"
    assert index_options(text) == "--extra-index-url https://a/simple\n-i https://b/simple\n"


@pytest.mark.parametrize(("lock", "found"), [("", False), ("# nothing\n--pre\n", False), (LOCK, True)])
def test_a_lock_without_packages_needs_no_environment(lock: str, found: bool) -> None:
    assert has_packages(lock) is found


def test_what_was_built_is_shared_only_by_those_whose_source_says_the_same() -> None:
    names = names_of(LOCK, "one", ABOUT, "0.13.9", built=True)
    assert names == [names_of(LOCK, "one", ABOUT, "0.13.9", built=False)[1]]
    assert not set(names) & set(names_of(LOCK, "two", ABOUT, "0.13.9", built=False))


def test_what_came_as_wheels_is_shared_by_all_who_have_the_lock() -> None:
    first, second = (names_of(LOCK, content, ABOUT, "0.13.9", built=False) for content in ("one", "two"))
    assert first[0] == second[0] == identity(LOCK, ABOUT, "0.13.9")
