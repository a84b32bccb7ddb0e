"""What is wrong with a file, where, and what would be right."""

from msgspec import Struct

MAX_FOUND = 80
MAX_WARNINGS = 50


class Problem(Struct, frozen=True, kw_only=True):
    """One reason why a file cannot be used."""

    path: str
    """JSON path from the root of the file: `$.schedules[0].timeout`."""
    found: str
    allowed: str
    member: str = ""
    """The last name of the path, as it was written; empty for the root and for elements of lists."""

    def __str__(self) -> str:
        return f"{self.path}: found {self.found}; allowed: {self.allowed}"


class Report:
    """Everything found while reading one file, in the order of the file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[str] = []


class At:
    """A place in the file, and the report that collects what is found there."""

    def __init__(self, report: Report, path: str = "$", member: str = "") -> None:
        self.report = report
        self.path = path
        self.member = member

    def key(self, name: str) -> "At":
        """The place of one member of the object here."""
        return At(
            self.report,
            f"{self.path}.{name}" if name.isidentifier() and len(name) <= MAX_FOUND else f"{self.path}[{brief(name)}]",
            name,
        )

    def item(self, index: int) -> "At":
        """The place of one element of the array here, counting from 0."""
        return At(self.report, f"{self.path}[{index}]")

    def refuse(self, found: object, allowed: str) -> Problem:
        """Note, and return, that the value here cannot be used."""
        return self._refuse(brief(found), allowed)

    def refuse_secret(self, allowed: str) -> Problem:
        """Note, and return, that the value here cannot be used, without repeating it."""
        return self._refuse("a value that is not shown", allowed)

    def refuse_as(self, found: str, allowed: str) -> Problem:
        """Note, and return, that what is here cannot be used, in words of the caller's."""
        return self._refuse(found, allowed)

    def warn(self, sentence: str) -> None:
        """Note something that does not keep the file from being used."""
        if len(self.report.warnings) < MAX_WARNINGS:
            self.report.warnings.append(f"{self.path}: {sentence}")

    def _refuse(self, found: str, allowed: str) -> Problem:
        problem = Problem(path=self.path, found=found, allowed=allowed, member=self.member)
        self.report.problems.append(problem)
        return problem


def brief(value: object) -> str:
    """The value as a person would recognise it, on one line and short."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            shown = value.encode("unicode_escape").decode("ascii") if not value.isprintable() else value
            text = f'"{shown[:MAX_FOUND]}{"…" if len(shown) > MAX_FOUND else ""}"'
        case list() | tuple():
            text = f"a list of {len(value)}"
        case dict():
            text = f"an object with {len(value)} members"
        case int() if abs(value) >= 10**MAX_FOUND:
            text = "an enormous number"
        case _:
            text = str(value)
    return text
