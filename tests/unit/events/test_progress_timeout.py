"""A program that starts is waited for as long as it works, and no longer."""

from fastflow_events.progress_timeout import ProgressTimeout, Signs
from hypothesis import given
from hypothesis import strategies as st

IDLE = Signs(log_bytes=0, cpu_s=0.0, io_bytes=0)
steps = st.lists(
    st.sampled_from([Signs(120, 0.0, 0), Signs(0, 0.2, 0), Signs(0, 0.0, 2_000_000)]), min_size=1, max_size=100
)


@given(steps)
def test_whoever_works_is_waited_for_however_long_it_takes(steps: list[Signs]) -> None:
    progress_timeout, seen, now = ProgressTimeout(0.0, stalled_after_s=20), IDLE, 0.0
    for step in steps:
        now += 19
        seen = Signs(seen.log_bytes + step.log_bytes, seen.cpu_s + step.cpu_s, seen.io_bytes + step.io_bytes)
        progress_timeout.saw(seen, now)
        assert progress_timeout.over(now) == ""
    assert "no sign of work for 20 s" in progress_timeout.over(now + 20)


def test_whoever_only_looks_at_its_clock_now_and_then_does_not_work() -> None:
    progress_timeout = ProgressTimeout(0.0, stalled_after_s=20)
    for second in range(20):
        assert progress_timeout.over(second) == ""
        progress_timeout.saw(Signs(log_bytes=0, cpu_s=second / 1000, io_bytes=second * 100), second)
    assert progress_timeout.over(20.0)


def test_whoever_works_at_nothing_is_told_in_the_end() -> None:
    progress_timeout = ProgressTimeout(0.0, stalled_after_s=20, too_long_s=100)
    for second in range(100):
        progress_timeout.saw(Signs(log_bytes=0, cpu_s=float(second), io_bytes=0), second)
        assert progress_timeout.over(second) == ""
    assert "works, but does not answer" in progress_timeout.over(100.0)
