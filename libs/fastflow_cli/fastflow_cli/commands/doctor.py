"""`doctor`."""

import os
from typing import Annotated

from cyclopts import Parameter

from fastflow_cli.console import progress, say, show_json, show_table
from fastflow_cli.doctor import checks
from fastflow_cli.doctor import security as walls
from fastflow_cli.doctor.finding import verdict
from fastflow_cli.exits import Exit
from fastflow_cli.home import find_home
from fastflow_cli.options import HomeOption, Json


def doctor(
    *, security: Annotated[bool, Parameter(negative=())] = False, home: HomeOption = None, json: Json = False
) -> int:
    """Say what this machine lacks, and the command that fixes it; ends with 6 when Fast-Flow cannot start.

    Parameters
    ----------
    security
        Try the walls of the installation instead; ends with 6 when one does not stand.
    home
        Folder an installation has or would have.
    json
        For programs.
    """
    with progress("trying the walls" if security else "looking around"):
        look = walls.examine if security else checks.examine
        findings = look(find_home(home, os.environ), os.environ)
    conclusion = walls.verdict(findings) if security else verdict(findings)
    if json:
        show_json({"items": findings, "verdict": conclusion})
    else:
        rows = [(f.name, f.state, f.detail, f.fix) for f in findings]
        show_table(("what", "is", "detail", "type"), rows, empty="")
        say(conclusion)
    return Exit.MISSING if any(f.state == "missing" for f in findings) else Exit.OK
