"""The most memory a process has had, as the kernel counts it."""

from pathlib import Path

from benchmarks.measure import CannotMeasureError

_FORGET_PEAK = "5"  # proc(5), /proc/pid/clear_refs


def forget_peak(pid: int) -> None:
    """Count the process's peak from now on.

    Raises:
        CannotMeasureError: this system does not count it.
    """
    try:
        Path(f"/proc/{pid}/clear_refs").write_text(_FORGET_PEAK)
    except OSError as exc:
        raise CannotMeasureError(f"peaks of memory are known on Linux only: {exc}") from exc


def rss_mb(pid: int) -> float:
    """Resident memory now.

    Raises:
        CannotMeasureError: this system does not tell.
    """
    return _field(pid, "VmRSS:")


def peak_mb(pid: int) -> float:
    """The most resident memory since the peak was forgotten.

    Raises:
        CannotMeasureError: this system does not tell.
    """
    return _field(pid, "VmHWM:")


def _field(pid: int, name: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError as exc:
        raise CannotMeasureError(f"memory is known on Linux only: {exc}") from exc
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000
