"""What could not be handled: shown, tried again, put away; never forgotten."""

from fastflow_events.errors import NotFoundError
from fastflow_events.nats import topology
from fastflow_events.recorded import Cause

from fastflow_gateway.core.dead_letters import Judgement, StoredLetter, Verdict, open_letters
from fastflow_gateway.core.errors import NotRetryableError
from fastflow_gateway.core.refusals import LetterNotRetryable, NoLetter
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.runs import Accepted
from fastflow_gateway.handlers.triggers import run_of_trigger
from fastflow_gateway.ports import Letters


async def list_letters(letters: Letters) -> list[StoredLetter]:
    """The letters nobody has judged yet, oldest first."""
    return list(open_letters([one async for one in letters.read()]).values())


async def retry_letter(deps: Deps, seq: int, *, who: str, cause: Cause) -> Accepted:
    """Handle the message again, as if it came now; only then is the letter off the list. Safe to repeat.

    Raises:
        NotFoundError: there is no such letter, or it was judged already.
        NotRetryableError: the message was not for the gateway; its own service reads it from the log.
        ContractError: the message is as unreadable as it was.
    """
    letter = await _find(deps.letters, seq)
    if letter.stream != topology.TRIGGERS or not letter.stream_seq:
        raise NotRetryableError(
            LetterNotRetryable(letter.consumer or letter.service),
            letter=seq,
        )
    accepted = await run_of_trigger(
        deps, letter.subject, letter.stream_seq, letter.data, cause=cause, kept_at=letter.at
    )
    await _judge(deps.letters, seq, "retried", who)
    return accepted


async def discard_letter(letters: Letters, seq: int, *, who: str) -> None:
    """Take the letter off the list; it stays stored, with who decided so.

    Raises:
        NotFoundError: there is no such letter, or it was judged already.
    """
    await _find(letters, seq)
    await _judge(letters, seq, "discarded", who)


async def _find(letters: Letters, seq: int) -> StoredLetter:
    letter = open_letters([one async for one in letters.read()]).get(seq)
    if letter is None:
        raise NotFoundError(NoLetter(), letter=seq)
    return letter


async def _judge(letters: Letters, seq: int, judgement: Judgement, who: str) -> None:
    await letters.judge(Verdict(letter=seq, judgement=judgement, who=who))
