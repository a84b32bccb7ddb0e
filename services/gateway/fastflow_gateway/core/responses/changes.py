"""What differs between two runs, as people see it."""

from fastflow_events.message import Message
from fastflow_events.types import Outcome
from msgspec import Struct

from fastflow_gateway.core.changes.differences import Difference, VariableChange
from fastflow_gateway.core.changes.files import FileChange
from fastflow_gateway.core.changes.output import OutputDifference
from fastflow_gateway.core.locked_packages import PackageChange
from fastflow_gateway.core.typed import InstantText
from fastflow_gateway.core.views.runs import RunStatus


class ComparedRun(Struct, frozen=True, kw_only=True):
    """One of the two."""

    id: str
    status: RunStatus
    outcome: Outcome | None
    requested_at: InstantText
    commit: str | None


class CommitResponse(Struct, frozen=True, kw_only=True):
    """A commit of the pipeline's folder that lies between the two."""

    commit: str
    subject: str
    """Empty, like the author, where it is not known."""
    author: str
    committed_at: InstantText | None
    commit_url: str | None


class ChangesResponse(Struct, frozen=True, kw_only=True):
    """What differs between a run and an earlier one; lists name only what is not the same."""

    run: ComparedRun
    against: ComparedRun | None
    """The run it is compared with; null when there is no earlier success, and then everything else is empty."""
    verdict: str
    verdict_message: Message
    commits: list[CommitResponse]
    """Stored versions of the folder from the older to the newer of the two, oldest first; at most 100."""
    is_older_code: bool
    """True when the run's code was stored before that of the run it is compared with."""
    files: list[FileChange] | None
    """At most 200; null where the code of one of them is not stored any more."""
    files_changed: int
    packages: list[PackageChange] | None
    """Null where the lock of one of them is not known."""
    params: list[Difference]
    variables: list[VariableChange]
    secrets: list[Difference]
    """By their versions."""
    settings: list[Difference]
    """Image, Python, runner, limits and the like."""
    numbers: list[Difference]
    """What each took, equal or not."""
    output: OutputDifference | None
    """Where their outputs begin to differ, apart from times, ids, addresses and temporary paths."""
    equal_lines: int
    """Lines before that."""
    output_compared: bool
    """False where so many lines were equal that the rest was not compared."""
