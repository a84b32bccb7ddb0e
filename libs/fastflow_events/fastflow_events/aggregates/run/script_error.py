"""The error that a script ended with, for people."""

from msgspec import Struct


class ScriptError(Struct, frozen=True, kw_only=True):
    """The last error that the script printed, as far as it can be read out of its output; nothing is decided by it."""

    type: str
    """Such as `KeyError` or `requests.exceptions.HTTPError`."""
    message: str = ""
    """The first line of its words."""
    file: str = ""
    """Where it was raised, below the pipeline's folder where that is one of its own; empty in a notebook's cell."""
    line: int | None = None
    cell: int | None = None
    """Number that the kernel gave to the execution of a notebook's cell."""
    log_line: int
    """Line of the attempt's output in which it is named."""

    @property
    def in_words(self) -> str:
        """Such as `KeyError: 'sku', main.py:41`."""
        at, before_line = (self.file, ":") if self.cell is None else (f"cell [{self.cell}]", ", line ")
        place = f"{at}{before_line}{self.line}" if at and self.line is not None else at
        return ", ".join(filter(None, (f"{self.type}: {self.message}" if self.message else self.type, place)))
