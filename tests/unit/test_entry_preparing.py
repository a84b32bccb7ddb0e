import pytest
from fastflow_runner.entry.preparing import identity
from fastflow_runner.entry.requirements_text import has_packages, index_options, refusal

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
        "-rother.txt",
        "--requirement=/proc/self/environ",
        "-c c.txt",
        "-e .",
        "  --editable ./x",
        "-\\\nr x",
    ],
)
def test_a_file_that_leans_on_others_is_refused(line: str) -> None:
    assert refusal(f"requests\n{line}\n")


def test_a_file_that_stands_alone_is_not_refused() -> None:
    assert refusal("requests>=2 # -r in a comment\n--index-url https://x/simple\n--pre\n") is None


def test_where_packages_are_found_is_repeated_for_the_lock() -> None:
    text = "--extra-index-url https://a/simple\nrequests\n-i https://b/simple\n--pre\n"
    assert index_options(text) == "--extra-index-url https://a/simple\n-i https://b/simple\n"


@pytest.mark.parametrize(("lock", "found"), [("", False), ("# nothing\n--pre\n", False), (LOCK, True)])
def test_a_lock_without_packages_needs_no_environment(lock: str, found: bool) -> None:
    assert has_packages(lock) is found
