"""Whoever can read the log knows every fact of this release."""

import re
import subprocess
import sys
from pathlib import Path

import fastflow_events

SOURCES = Path(fastflow_events.__file__).parent.glob("aggregates/*/events.py")
WIRED = re.compile(r'^@wire\("([^"]+)"', re.MULTILINE)


def test_reading_the_envelope_knows_the_facts_of_every_aggregate() -> None:
    shipped = {name for source in SOURCES for name in WIRED.findall(source.read_text())}
    program = "import fastflow_events.envelope, fastflow_events.fact as fact; print(*fact.wire_types())"
    known = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert len(shipped) > 20
    assert shipped == set(known)
