"""Errors the command expects: one sentence, and the line to type."""

from fastflow_events.errors import FastflowError

from fastflow_cli.exits import Exit


class CliError(FastflowError):
    """The command cannot go on; said in one sentence, without a traceback."""

    code = "cli"

    def __init__(self, message: str, /, *, fix: str | None = None, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.fix = fix
        """The command that puts it right."""
        self.exit_code = exit_code


class UsageError(CliError):
    """The command line or a setting is wrong."""

    def __init__(self, message: str, /, *, fix: str | None = None) -> None:
        super().__init__(message, fix=fix, exit_code=Exit.USAGE)


class NotRunningError(CliError):
    """Nothing answers where Fast-Flow should be."""

    def __init__(self, message: str, /, *, fix: str | None = "fastflow up") -> None:
        super().__init__(message, fix=fix, exit_code=Exit.NOT_RUNNING)


class RefusedError(CliError):
    """The gateway said no."""

    def __init__(self, message: str, /, *, fix: str | None = None) -> None:
        super().__init__(message, fix=fix, exit_code=Exit.REFUSED)


class MissingError(CliError):
    """This machine lacks something."""

    def __init__(self, message: str, /, *, fix: str | None = "fastflow doctor") -> None:
        super().__init__(message, fix=fix, exit_code=Exit.MISSING)
