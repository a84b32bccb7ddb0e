"""`/api/dead-letters`."""

from fastflow_events.errors import NotFoundError
from fastflow_events.recorded import Cause
from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Struct

from fastflow_gateway.core.errors import LogFullError, NotRetryableError, NotRunnableError
from fastflow_gateway.core.responses.letters import DeadLetterResponse, show_letter
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import dead_letters
from fastflow_gateway.handlers.runs import Accepted
from fastflow_gateway.http.raises import raises


class LetterList(Struct, frozen=True, kw_only=True):
    """Letters nobody has judged yet, oldest first."""

    items: list[DeadLetterResponse]
    next: str | None = None


class DeadLetterController(Controller):
    """What could not be handled."""

    path = "/api/dead-letters"
    tags = ("dead letters",)

    @get(opt=raises())
    async def list(self, deps: NamedDependency[Deps]) -> LetterList:
        """Every message that could not be handled, with the reason."""
        return LetterList(items=[show_letter(letter) for letter in await dead_letters.list_letters(deps.letters)])

    @post(
        "/{seq:int}/retry",
        status_code=202,
        opt=raises(NotFoundError, NotRetryableError, NotRunnableError, LogFullError),
    )
    async def retry(
        self,
        *,
        seq: FromPath[int],
        deps: NamedDependency[Deps],
        cause: NamedDependency[Cause],
        who: NamedDependency[str],
    ) -> Accepted:
        """Handle the message again, as if it came now."""
        return await dead_letters.retry_letter(deps, seq, who=who, cause=cause)

    @delete("/{seq:int}", opt=raises(NotFoundError))
    async def discard(self, seq: FromPath[int], deps: NamedDependency[Deps], who: NamedDependency[str]) -> None:
        """Take the letter off the list; it stays stored, with who decided so."""
        await dead_letters.discard_letter(deps.letters, seq, who=who)
