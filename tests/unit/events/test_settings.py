"""Settings come from the environment, typed, or not at all."""

from pathlib import Path

import pytest
from fastflow_events.errors import SettingsError
from fastflow_events.service.settings import Settings, load
from fastflow_scheduler.settings import SchedulerSettings


class Needy(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    worker_image: str


def test_text_becomes_the_type_of_its_field() -> None:
    settings = load(SchedulerSettings, {"FASTFLOW_MAX_CONCURRENT_RUNS": "3", "FASTFLOW_HOME": "/x"})
    assert settings.max_concurrent_runs == 3
    assert settings.home == Path("/x")


def test_an_older_name_is_read_too() -> None:
    assert load(SchedulerSettings, {"MAX_CONCURRENT_RUNS": "4"}).max_concurrent_runs == 4


def test_two_names_that_contradict_each_other_are_an_error() -> None:
    with pytest.raises(SettingsError, match="FASTFLOW_MAX_CONCURRENT_RUNS and its older name MAX_CONCURRENT_RUNS"):
        load(SchedulerSettings, {"MAX_CONCURRENT_RUNS": "4", "FASTFLOW_MAX_CONCURRENT_RUNS": "5"})


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(SettingsError, match="FASTFLOW_WORKER_IMAGE is not set"):
        load(Needy, {})


@pytest.mark.parametrize("value", ["many", "0", "-1"])
def test_a_value_that_does_not_fit_names_its_variable(value: str) -> None:
    with pytest.raises(SettingsError, match="FASTFLOW_MAX_CONCURRENT_RUNS"):
        load(SchedulerSettings, {"FASTFLOW_MAX_CONCURRENT_RUNS": value})


def test_an_empty_text_counts_as_not_set() -> None:
    assert load(SchedulerSettings, {"FASTFLOW_DEFAULT_TIMEOUT_S": ""}).default_timeout_s is None
