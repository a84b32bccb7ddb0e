"""A specification is complete, and later sources of the environment win."""

import pytest
from fastflow_events.aggregates.run.specification import Requirements, Specification
from fastflow_events.errors import NotFoundError
from fastflow_rules.definition import Defaults, Definition, Schedule, specification
from fastflow_rules.definition.model import RetryStrategy


def specify(definition: Definition, **changes: object) -> Specification:
    given: dict[str, object] = {
        "repository": "main",
        "pipeline": "sales",
        "commit": "c" * 40,
        "tree": "7" * 40,
        "requirements": Requirements(),
    }
    return specification(definition, **(given | changes))  # type: ignore[arg-type]


def test_defaults_fill_what_the_pipeline_does_not_say() -> None:
    spec = specify(Definition(), defaults=Defaults(python="3.13", timeout_s=90, retry_attempts=2, cpus=0.5))
    assert (spec.python, spec.timeout_s, spec.retry.attempts, spec.limits.cpus) == ("3.13", 90, 2, 0.5)


@pytest.mark.parametrize(
    ("pipeline", "schedule", "installation", "expected"),
    [
        (None, None, None, None),
        (None, None, 60, 60),
        (0, None, 60, None),
        (30, None, 60, 30),
        (30, 0, 60, None),
        (0, 10, 60, 10),
    ],
)
def test_a_timeout_of_zero_is_unlimited_even_over_a_global_one(
    pipeline: float | None, schedule: float | None, installation: float | None, expected: float | None
) -> None:
    definition = Definition(timeout_s=pipeline, schedules=(Schedule(id="s", timeout_s=schedule),))
    assert specify(definition, run_config_id="s", defaults=Defaults(timeout_s=installation)).timeout_s == expected


def test_zero_retries_of_the_pipeline_win_over_the_installation() -> None:
    definition = Definition(retry_attempts=0, retry_strategy=RetryStrategy(delay_s=5))
    retry = specify(definition, defaults=Defaults(retry_attempts=4)).retry
    assert (retry.attempts, retry.delay_s) == (0, 5)


def test_a_schedule_has_retries_of_its_own_and_none_is_some_too() -> None:
    often = Schedule(
        id="often", retry_attempts=5, retry_strategy=RetryStrategy(type="custom_schedule", delays_s=(1, 3))
    )
    never = Schedule(id="never", retry_attempts=0)
    definition = Definition(retry_attempts=2, retry_strategy=RetryStrategy(delay_s=9), schedules=(often, never))
    retries = {id: specify(definition, run_config_id=id).retry for id in ("often", "never", None)}
    assert (retries["often"].attempts, retries["often"].delays_s) == (5, (1, 3))
    assert (retries["never"].attempts, retries["never"].delay_s) == (0, 9)
    assert (retries[None].attempts, retries[None].delay_s) == (2, 9)


def test_a_notebook_is_started_by_its_own_name_and_ignores_pipeline_retries() -> None:
    spec = specify(Definition(kind="notebook", retry_attempts=3))
    assert (spec.entry_point, spec.retry.attempts) == ("main.ipynb", 0)


def test_the_environment_is_laid_over_in_the_documented_order() -> None:
    definition = Definition(
        env=dict.fromkeys("abcdefg", "1 pipeline"),
        sealed_env=dict.fromkeys("cdefg", "3 pipeline sealed"),
        secrets=("e", "f", "g", "unknown"),
        schedules=(
            Schedule(
                id="s",
                env=dict.fromkeys("bcdefg", "2 schedule"),
                sealed_env=dict.fromkeys("defg", "4 schedule sealed"),
            ),
        ),
    )
    spec = specify(
        definition,
        run_config_id="s",
        secret_versions={"e": 5, "f": 5, "g": 5, "not granted": 1},
        env=dict.fromkeys("fg", "6 request"),
        params={"g": "7 param"},
    )
    assert spec.env == {"a": "1 pipeline", "b": "2 schedule", "f": "6 request", "g": "7 param"}
    assert spec.sealed_env == {"c": "3 pipeline sealed", "d": "4 schedule sealed"}
    assert spec.secrets == {"e": 5, "unknown": 0}


def test_a_secret_that_is_not_there_is_missing_only_where_nothing_else_says_what_it_is() -> None:
    definition = Definition(env={"a": "1"}, sealed_env={"b": "2"}, secrets=("a", "b", "c", "d", "FASTFLOW_RUN_ID"))
    spec = specify(definition, env={"c": "3"})
    assert (spec.env, spec.sealed_env, spec.secrets) == ({"a": "1", "c": "3"}, {"b": "2"}, {"d": 0})


def test_nobody_changes_our_own_variables() -> None:
    ours = {"FASTFLOW_RUN_ID": "forged", "A": "1"}
    spec = specify(Definition(env=ours, sealed_env={"FASTFLOW_TRIGGER": "x"}), env=ours, params=ours)
    assert spec.env == {"A": "1"}
    assert spec.sealed_env == {}


def test_only_the_files_decide_which_code_is_loaded() -> None:
    names = ["UV_INDEX_URL", "PATH", "path", "LD_PRELOAD", "PYTHONPATH", "PATHS", "MY_PATH"]
    for asked in ("env", "params"):
        spec = specify(Definition(env={"PATH": "/pipeline"}), **{asked: dict.fromkeys(names, "x")})
        assert spec.env == {"PATH": "/pipeline", "path": "x", "PATHS": "x", "MY_PATH": "x"}


def test_an_unknown_run_configuration_is_refused() -> None:
    with pytest.raises(NotFoundError):
        specify(Definition(), run_config_id="nightly")
