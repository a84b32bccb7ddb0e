"""What a process has done so far, as the system tells it."""

import os
import subprocess
from contextlib import suppress
from pathlib import Path

from fastflow_events.progress_timeout import Signs


def signs_of(pid: int, log: Path) -> Signs:
    """Size of its log, processor time, and bytes read and written."""
    log_bytes, cpu_s, io_bytes = 0, 0.0, 0
    with suppress(OSError):
        log_bytes = log.stat().st_size
    with suppress(OSError, ValueError, IndexError):
        # Source: proc(5). The name in parentheses may hold anything, hence from its end; 14 and 15 are utime and stime.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        cpu_s = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    with suppress(OSError, ValueError, IndexError):
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
        io_bytes = sum(int(line.split()[1]) for line in lines[:2])  # rchar, wchar
    if not Path("/proc/self/stat").exists():
        cpu_s = _cpu_s(pid)
    return Signs(log_bytes, cpu_s, io_bytes)


def _cpu_s(pid: int) -> float:
    """Processor time as `ps` tells it: `1:02.50` or `1-00:01:02`."""
    with suppress(OSError, ValueError, subprocess.TimeoutExpired):
        printed = subprocess.run(
            ["ps", "-o", "time=", "-p", str(pid)], capture_output=True, text=True, check=False, timeout=2
        ).stdout
        days, _, clock = printed.strip().rpartition("-")
        total = 0.0
        for part in clock.split(":"):
            total = total * 60 + float(part)
        return total + int(days or 0) * 86_400
    return 0.0
