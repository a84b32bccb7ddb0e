"""What somebody gives as parameters fits what the pipeline declares, or every reason why not is said."""

import pytest
from fastflow_events.aggregates.run.specification import Requirements
from fastflow_rules.definition import Definition, Param, check_params, specification
from hypothesis import given
from hypothesis import strategies as st

DECLARED = Definition(
    params=(
        Param(name="DAY", type="date", default="2026-01-01"),
        Param(name="SIZE", type="integer", choices=("1", "10")),
        Param(name="RATIO", type="number"),
        Param(name="FULL", type="boolean"),
        Param(name="AT", type="datetime"),
        Param(name="TARGET", required=True),
    )
)


def test_values_become_the_text_a_run_gets() -> None:
    given = {"DAY": "2026-02-03", "SIZE": 10, "RATIO": 0.5, "FULL": True, "AT": "2026-01-01T08:00:00+00:00"}
    assert check_params(DECLARED, {**given, "TARGET": "x"}) == {
        "DAY": "2026-02-03",
        "SIZE": "10",
        "RATIO": "0.5",
        "FULL": "true",
        "AT": "2026-01-01T08:00:00Z",
        "TARGET": "x",
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"DAY": "tomorrow"}, '$.DAY: found "tomorrow"; allowed: a date, as in "2026-01-31"'),
        ({"SIZE": "1.5"}, '$.SIZE: found "1.5"; allowed: a whole number'),
        ({"SIZE": 5}, '$.SIZE: found 5; allowed: one of "1", "10"'),
        ({"RATIO": "nan"}, '$.RATIO: found "nan"; allowed: a number'),
        ({"FULL": "yes"}, '$.FULL: found "yes"; allowed: true or false'),
        ({"FULL": 1}, "$.FULL: found 1; allowed: true or false"),
        (
            {"TARGETT": "x"},
            "$.TARGETT: found a parameter that the pipeline does not have; "
            'allowed: those it declares; did you mean "TARGET"?',
        ),
        ({"Q": "x"}, "$.Q: found a parameter that the pipeline does not have; allowed: those it declares"),
    ],
)
def test_what_does_not_fit_is_said(given: dict[str, object], reason: str) -> None:
    problems = check_params(DECLARED, {"TARGET": "x", **given})
    assert isinstance(problems, list)
    assert [str(problem) for problem in problems] == [reason]


def test_a_required_param_has_to_be_given_and_all_reasons_are_said_at_once() -> None:
    problems = check_params(DECLARED, {"SIZE": "big"})
    assert isinstance(problems, list)
    assert [problem.path for problem in problems] == ["$.SIZE", "$.TARGET"]


def test_a_pipeline_that_declares_none_takes_any_text() -> None:
    assert check_params(Definition(), {"ANY": "thing", "N": 5}) == {"ANY": "thing", "N": "5"}


def test_defaults_are_the_lowest_layer_of_a_runs_environment() -> None:
    definition = Definition(
        params=(Param(name="A", default="default"), Param(name="B", default="default"), Param(name="C", default="d")),
        env={"B": "env"},
    )
    frozen = specification(
        definition,
        repository="main",
        pipeline="p",
        commit="a" * 40,
        tree="b" * 40,
        requirements=Requirements(),
        params={"C": "asked"},
    )
    assert frozen.env == {"A": "default", "B": "env", "C": "asked"}


_ANYTHING = st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.integers()))


@given(st.dictionaries(st.sampled_from([p.name for p in DECLARED.params]) | st.text(), _ANYTHING))
def test_whatever_is_given_the_answer_is_text_or_reasons(given: dict[str, object]) -> None:
    found = check_params(DECLARED, given)
    if isinstance(found, list):
        assert found
    else:
        assert all(isinstance(value, str) for value in found.values())
        assert check_params(DECLARED, found) == found  # the text of a value is that value
