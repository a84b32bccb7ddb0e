import pytest
from fastflow_events.errors import ConcurrencyError, InfrastructureError
from fastflow_events.execute import TRIES, retry_on_conflict


class Race:
    """Somebody else is first so many times."""

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.tries = 0

    async def attempt(self) -> str:
        self.tries += 1
        if self.tries <= self.lost:
            raise ConcurrencyError("somebody else appended first")
        return "appended"


async def test_who_loses_a_race_decides_again() -> None:
    race = Race(lost=TRIES - 1)
    assert await retry_on_conflict(race.attempt) == "appended"
    assert race.tries == TRIES


async def test_who_loses_every_race_says_so() -> None:
    race = Race(lost=100)
    with pytest.raises(ConcurrencyError):
        await retry_on_conflict(race.attempt, tries=3)
    assert race.tries == 3


async def test_some_races_are_run_until_they_are_won() -> None:
    race = Race(lost=100)
    assert await retry_on_conflict(race.attempt, tries=None) == "appended"


async def test_no_other_failure_is_taken_for_a_lost_race() -> None:
    async def attempt() -> None:
        raise InfrastructureError("the log is away")

    with pytest.raises(InfrastructureError):
        await retry_on_conflict(attempt, tries=None)
