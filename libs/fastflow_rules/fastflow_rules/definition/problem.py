"""What is wrong with a file, where, and what would be right."""

from fastflow_events.message import Statement
from msgspec import Struct

from fastflow_rules.definition.found import MAX_FOUND, NotShown, brief, found_in

MAX_WARNINGS = 50


class Unfit(Statement, frozen=True, tag="definition.unfit"):
    """A place in a file, what was found there, and what would be right."""

    english = "{path}: found {found}; allowed: {allowed}"
    path: str
    found: Statement
    allowed: Statement


class Remarked(Statement, frozen=True, tag="definition.remark"):
    """A place in a file, and what is to be said of it."""

    english = "{path}: {remark}"
    path: str
    remark: Statement


class Problem(Struct, frozen=True, kw_only=True):
    """One reason why a file cannot be used."""

    path: str
    """JSON path from the root of the file: `$.schedules[0].timeout`."""
    found: Statement
    allowed: Statement
    member: str = ""
    """The last name of the path, as it was written; empty for the root and for elements of lists."""

    def __str__(self) -> str:
        return str(self.statement)

    @property
    def statement(self) -> Unfit:
        """All of it."""
        return Unfit(self.path, self.found, self.allowed)


class Report:
    """Everything found while reading one file, in the order of the file."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Statement] = []


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

    def refuse(self, found: object, allowed: Statement) -> Problem:
        """Note, and return, that the value here cannot be used."""
        return self._refuse(found_in(found), allowed)

    def refuse_secret(self, allowed: Statement) -> Problem:
        """Note, and return, that the value here cannot be used, without repeating it."""
        return self._refuse(NotShown(), allowed)

    def refuse_as(self, found: Statement, allowed: Statement) -> Problem:
        """Note, and return, that what is here cannot be used, in words of the caller's."""
        return self._refuse(found, allowed)

    def warn(self, remark: Statement) -> None:
        """Note something that does not keep the file from being used."""
        if len(self.report.warnings) < MAX_WARNINGS:
            self.report.warnings.append(Remarked(self.path, remark))

    def _refuse(self, found: Statement, allowed: Statement) -> Problem:
        problem = Problem(path=self.path, found=found, allowed=allowed, member=self.member)
        self.report.problems.append(problem)
        return problem
