"""Dead letters and what people decided about them: a fold, like everything else.

A letter is never deleted; a verdict (`retried` or `discarded`) is stored behind it and takes it off the list.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal, TypeAlias

from fastflow_events.errors import ContractError
from msgspec import Struct

Judgement: TypeAlias = Literal["retried", "discarded"]
JUDGE = "gateway"
VERDICT_HEADER = "Fastflow-Verdict"
MAX_DIGITS = 18
"""Of a position."""
LETTER_HEADER = "Fastflow-Letter"
WHO_HEADER = "Fastflow-Who"


class StoredLetter(Struct, frozen=True, kw_only=True):
    """A message that could not be handled, with the reason."""

    seq: int
    """Position among the dead letters; names the letter."""
    service: str
    subject: str
    """Where the message came from."""
    stream: str
    stream_seq: int
    """Position of the message in the stream it came from; 0 when unknown."""
    consumer: str
    reason: str
    at: datetime | None
    data: bytes


class Verdict(Struct, frozen=True, kw_only=True):
    """What became of a letter."""

    letter: int
    judgement: Judgement
    who: str


def read_letter(
    seq: int, service: str, headers: Mapping[str, str], data: bytes, at: datetime | None
) -> StoredLetter | Verdict:
    """Read what the stream of dead letters holds; only the gateway passes verdicts, whatever others write.

    Raises:
        ContractError: a verdict nobody of us wrote.
    """
    judgement = headers.get(VERDICT_HEADER)
    if judgement is None or service != JUDGE:
        return StoredLetter(
            seq=seq,
            service=service,
            subject=headers.get("Fastflow-Subject", ""),
            stream=headers.get("Fastflow-Stream", ""),
            stream_seq=_number(headers.get("Fastflow-Seq", "")),
            consumer=headers.get("Fastflow-Consumer", ""),
            reason=headers.get("Fastflow-Reason", ""),
            at=at,
            data=data,
        )
    letter = _number(headers.get(LETTER_HEADER, ""))
    if not letter or judgement not in ("retried", "discarded"):
        raise ContractError("not a verdict on a dead letter", seq=seq)
    return Verdict(
        letter=letter,
        judgement="retried" if judgement == "retried" else "discarded",
        who=headers.get(WHO_HEADER, ""),
    )


def headers_of(verdict: Verdict) -> dict[str, str]:
    """How a verdict is stored."""
    return {VERDICT_HEADER: verdict.judgement, LETTER_HEADER: str(verdict.letter), WHO_HEADER: verdict.who}


def open_letters(stored: Iterable[StoredLetter | Verdict]) -> dict[int, StoredLetter]:
    """The letters without a verdict, by position, oldest first."""
    letters: dict[int, StoredLetter] = {}
    for one in stored:
        if isinstance(one, Verdict):
            letters.pop(one.letter, None)
        else:
            letters[one.seq] = one
    return letters


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else 0
