"""Exit codes: what a script around `fastflow` may rely on."""

from enum import IntEnum


class Exit(IntEnum):
    """One number per kind of end."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_RUNNING = 3
    REFUSED = 4
    CANCELLED = 5
    MISSING = 6
    INTERRUPTED = 130


MEANINGS: dict[Exit, str] = {
    Exit.OK: "done; with --follow: the run succeeded",
    Exit.FAILED: "the run failed, or a check found something",
    Exit.USAGE: "the command line or a setting is wrong",
    Exit.NOT_RUNNING: "Fast-Flow is not running, or does not answer",
    Exit.REFUSED: "what was named does not exist, or the request was refused",
    Exit.CANCELLED: "the run was cancelled or rejected",
    Exit.MISSING: "this machine lacks something; `fastflow doctor` says what",
    Exit.INTERRUPTED: "interrupted by Ctrl-C",
}


def table() -> str:
    """The exit codes as Markdown, for `--help`."""
    rows = [f"- `{code.value}`: {meaning}" for code, meaning in MEANINGS.items()]
    return "Exit codes:\n\n" + "\n".join(rows)


def of_run(status: str) -> Exit:
    """The exit code for how a run ended."""
    match status:
        case "succeeded":
            return Exit.OK
        case "cancelled" | "rejected":
            return Exit.CANCELLED
        case _:
            return Exit.FAILED
