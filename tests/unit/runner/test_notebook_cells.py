"""Which cells of a notebook are executed how often, and what people are told of them."""

import pytest
from fastflow_runner.entry.notebook import words
from fastflow_runner.entry.notebook.hiding import Hider
from fastflow_runner.entry.notebook.plan import CodeCell, UnusableError, is_python, planned


def code(**own: object) -> dict[str, object]:
    return {"cell_type": "code", "source": "1", "metadata": {"fastflow": own} if own else {}}


TEXT: dict[str, object] = {"cell_type": "markdown", "source": "# Text"}


def test_only_code_cells_count_and_each_has_its_own_settings() -> None:
    assert planned([TEXT, code(), TEXT, code(), code()], [(2, 0.5), (1, 3.0)]) == [
        CodeCell(place=1, number=1, tries=3, delay_s=0.5),
        CodeCell(place=3, number=2, tries=2, delay_s=3.0),
        CodeCell(place=4, number=3, tries=1, delay_s=1.0),
    ]


def test_what_a_cell_says_itself_counts_field_by_field() -> None:
    cells = [code(retries=0), code(delay_seconds=9), code(retries=None), code(retries=2.0)]
    assert [(cell.tries, cell.delay_s) for cell in planned(cells, [(3, 2.0)] * 4)] == [
        (1, 2.0),
        (4, 9),
        (4, 2.0),
        (3, 2.0),
    ]


@pytest.mark.parametrize("own", [{"retries": -1}, {"retries": "3"}, {"retries": True}, {"delay_seconds": float("inf")}])
def test_a_cell_that_asks_for_what_cannot_be_is_refused_by_its_number(own: dict[str, object]) -> None:
    with pytest.raises(UnusableError, match="code cell 2"):
        planned([code(), TEXT, code(**own)], [])


def test_other_languages_are_recognised_by_what_the_notebook_says() -> None:
    assert is_python({"metadata": {}})
    assert is_python({"metadata": {"kernelspec": {"language": "python"}, "language_info": {"name": "ipython"}}})
    assert not is_python({"metadata": {"kernelspec": {"language": "R"}}})


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (-9, "the kernel was killed by signal 9 (SIGKILL) in cell 1 of 2"),
        (-99, "the kernel was killed by signal 99 in cell 1 of 2"),
        (3, "the kernel ended with exit code 3 in cell 1 of 2"),
        (None, "the kernel does not answer any more in cell 1 of 2"),
    ],
)
def test_the_death_of_a_kernel_is_told_with_what_is_known(status: int | None, text: str) -> None:
    assert words.death(status, words.place(1, 2)) == text


@pytest.mark.parametrize(
    ("value", "code"), [("", 0), ("None", 0), ("0", 0), ("7", 7), ("-1", 255), ("256", 0), ("True", 1), ("bye", None)]
)
def test_a_cell_that_leaves_ends_the_notebook_as_it_would_end_a_script(value: str, code: int | None) -> None:
    assert words.exit_code(value) == code


def test_results_are_told_as_text_and_pictures_by_their_names() -> None:
    assert words.shown({"text/plain": "   a\n0  1", "text/html": "<table>"}) == "   a\n0  1\n"
    assert words.shown({"text/html": "<b>x</b>"}) == "fast-flow: text/html, 8 characters, is in the executed notebook\n"
    assert words.shown({"text/plain": ["<Figure>"], "image/png": "AAAA"}) == (
        "<Figure>\nfast-flow: image/png, 4 characters, is in the executed notebook\n"
    )
    assert words.shown({}) == ""


def test_errors_are_told_without_colours_and_not_without_end() -> None:
    assert words.traceback({"traceback": ["\x1b[0;31mValueError\x1b[0m: no", "line"]}) == "ValueError: no\nline\n"
    assert words.error("ValueError", "first\nsecond") == "ValueError: first"
    assert words.error("KeyboardInterrupt", "") == "KeyboardInterrupt"
    assert len(words.error("E", "x" * 5000)) == words.MESSAGE_CHARS + 1


def test_values_of_secrets_are_kept_out_of_outputs_but_not_out_of_pictures() -> None:
    hider = Hider(["pass/word+1", "abcd"])
    outputs = [
        {"output_type": "stream", "text": "it is pass/word+1 and cGFzcy93b3JkKzE="},
        {"output_type": "display_data", "data": {"image/png": "xxabcdxx", "text/plain": ["abcd", "e"]}},
        {"output_type": "error", "traceback": ["pass%2Fword%2B1"]},
    ]
    assert hider.outputs(outputs) == [
        {"output_type": "stream", "text": "it is *** and ***"},
        {"output_type": "display_data", "data": {"image/png": "xxabcdxx", "text/plain": ["***", "e"]}},
        {"output_type": "error", "traceback": ["***"]},
    ]
    assert Hider([]).outputs(outputs) is outputs


def test_values_of_secrets_are_kept_out_of_names_too_and_two_names_stay_two() -> None:
    hider = Hider(["pass/word+1"])
    bundle = {"application/pass/word+1": "x", "text/***": 1, "text/pass/word+1": 2, "image/pass/word+1": "kept"}
    outputs = [{"output_type": "display_data", "data": bundle, "metadata": {"pass/word+1": {"pass/word+1": []}}}]
    [hidden] = hider.outputs(outputs)
    assert "pass" not in str(hidden)
    assert sorted(hidden["data"].values(), key=str) == [1, 2, "kept", "x"]
