"""`doctor`."""

import os

from fastflow_cli.console import progress, say, show_json, show_table
from fastflow_cli.doctor.checks import examine
from fastflow_cli.doctor.finding import verdict
from fastflow_cli.exits import Exit
from fastflow_cli.home import find_home
from fastflow_cli.options import HomeOption, Json


def doctor(*, home: HomeOption = None, json: Json = False) -> int:
    """Say what this machine lacks, and the command that fixes it; ends with 6 when Fast-Flow cannot start.

    Parameters
    ----------
    home
        Folder an installation has or would have.
    json
        For programs.
    """
    with progress("looking around"):
        findings = examine(find_home(home, os.environ), os.environ)
    if json:
        show_json({"items": findings, "verdict": verdict(findings)})
    else:
        rows = [(f.name, f.state, f.detail, f.fix) for f in findings]
        show_table(("what", "is", "detail", "type"), rows, empty="")
        say(verdict(findings))
    return Exit.MISSING if any(f.state == "missing" for f in findings) else Exit.OK
