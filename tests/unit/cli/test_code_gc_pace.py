"""When stored code is collected by itself."""

from fastflow_cli.local.code_gc_pace import PRESSING, Pace, Pass, is_due
from hypothesis import given
from hypothesis import strategies as st

PACE = Pace()
HOUR, DAY = 3600.0, 86_400.0
shares = st.floats(0, 1)


def test_a_store_that_is_nearly_full_is_collected_at_once_after_a_start() -> None:
    assert is_due(PACE, 0.0, started=0.0, last=None, share=PRESSING)
    assert not is_due(PACE, 0.0, started=0.0, last=None, share=0.1)
    assert is_due(PACE, HOUR, started=0.0, last=None, share=0.1)


def test_what_was_announced_is_deleted_an_hour_later_and_then_a_day_passes() -> None:
    announced, quiet = Pass(0.0, announced=True), Pass(0.0, announced=False)
    assert not is_due(PACE, HOUR, started=0.0, last=announced, share=1.0)
    assert is_due(PACE, HOUR + 60, started=0.0, last=announced, share=0.0)
    assert not is_due(PACE, DAY - 1, started=0.0, last=quiet, share=0.1)
    assert is_due(PACE, DAY, started=0.0, last=quiet, share=0.1)


def test_a_store_full_of_what_is_needed_is_not_read_for_all_the_time() -> None:
    quiet = Pass(0.0, announced=False)
    assert not is_due(PACE, HOUR, started=0.0, last=quiet, share=1.0)
    assert is_due(PACE, 6 * HOUR, started=0.0, last=quiet, share=1.0)


@given(shares, st.booleans(), st.floats(0, 10 * DAY))
def test_whatever_happened_nobody_collects_twice_within_the_hour_of_an_announcement_nor_less_than_daily(
    share: float, announced: bool, waited: float
) -> None:
    due = is_due(PACE, waited, started=0.0, last=Pass(0.0, announced=announced), share=share)
    assert not (due and waited < PACE.undisturbed_s)
    assert due or waited < DAY
