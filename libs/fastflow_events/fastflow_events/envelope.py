"""CloudEvents 1.0 in binary mode: the envelope in NATS headers, the fact alone as JSON in the body.

Source: CloudEvents core 1.0.2 and its NATS protocol binding (header names, percent-encoding of values).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from fastflow_events import subjects
from fastflow_events.aggregates.vocabulary import known_facts
from fastflow_events.doubts import words_of
from fastflow_events.errors import ContractError, TooLargeError
from fastflow_events.fact import BrokenFact, Fact, UnknownFact, fact_name
from fastflow_events.instants import FIRST
from fastflow_events.plain import MAX_BODY_DEPTH, is_too_deep
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.upcast import UPCASTERS, Upcasters, upcast
from fastflow_events.zoned import fault_of, read_instant

MAX_FACT_BYTES = 65_536
_MAX_VERSION = 2**53
_PRINTABLE = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) not in '"%')


def subject_of(recorded: Recorded) -> str:
    """The subject a fact is stored under."""
    return subjects.event(recorded.aggregate, recorded.id, fact_name(recorded.wire_type), recorded.fact.scope)


def headers_of(recorded: Recorded) -> dict[str, str]:
    """The envelope of a fact as NATS headers."""
    headers = {
        "ce-specversion": "1.0",
        "ce-id": _quote(recorded.event_id),
        "ce-type": recorded.wire_type,
        "ce-source": _quote(recorded.source),
        "ce-subject": _quote(f"{recorded.aggregate}/{recorded.id}"),
        "ce-time": _instant(recorded.at),
        "correlationid": _quote(recorded.cause.correlation_id),
    }
    if recorded.cause.causation_id is not None:
        headers["causationid"] = _quote(recorded.cause.causation_id)
    if recorded.cause.traceparent is not None:
        headers["traceparent"] = recorded.cause.traceparent
    return headers


def body_of(fact: Fact) -> bytes:
    """The fact as JSON.

    Raises:
        TooLargeError: more than 64 kB; large things belong in the object store with their hash in the fact.
        ContractError: it holds what JSON cannot say, or nobody could read back.
    """
    try:
        body = fact.body if isinstance(fact, UnknownFact) else _ENCODER.encode(fact)
    except (TypeError, ValueError, OverflowError, RecursionError) as exc:
        raise ContractError(f"this cannot be written down: {type(exc).__name__}", type=fact.type_) from exc
    if len(body) > MAX_FACT_BYTES:
        raise TooLargeError("a fact holds at most 64 kB", type=fact.type_, size_bytes=len(body))
    if not isinstance(fact, UnknownFact):
        _must_be_readable(fact, body)
    return body


class Reader:
    """Turns stored messages of every version ever shipped into today's facts."""

    def __init__(self, upcasters: Upcasters = UPCASTERS) -> None:
        self._upcasters = upcasters
        self._decoders = {name: msgspec.json.Decoder(cls) for name, cls in known_facts().items()}

    def read(self, seq: int, subject: str, headers: Mapping[str, str], body: bytes) -> Recorded:
        """Return the fact and its envelope; what follows no contract is a `BrokenFact`. Never raises."""
        try:
            return self.recorded(seq, subject, headers, body)
        except Exception as exc:  # noqa: BLE001 - whatever a message does to its reader, it is told as a fact
            return _broken(seq, subject, headers, body, exc)

    def recorded(self, seq: int, subject: str, headers: Mapping[str, str], body: bytes) -> Recorded:
        """Return the fact and its envelope.

        Raises:
            ContractError: envelope, subject and body do not fit together.
        """
        try:
            type_ = headers["ce-type"]
            aggregate, id = unquote(headers["ce-subject"]).split("/", 1)
            version = int(headers["ce-id"].rsplit("/", 1)[1])
            at = read_instant(headers["ce-time"])
            cause = Cause(
                correlation_id=unquote(headers["correlationid"]),
                causation_id=unquote(headers["causationid"]) if "causationid" in headers else None,
                traceparent=headers.get("traceparent"),
            )
            source = unquote(headers["ce-source"])
            named = [aggregate, subjects.encode(id), fact_name(type_)]
        except (KeyError, ValueError, IndexError, ContractError) as exc:
            raise ContractError("not an event envelope", subject=subject, seq=seq) from exc
        parts = subject.split(".")
        if parts[2:5] != named or len(parts) > 6:
            raise ContractError("the envelope names another fact than its subject", subject=subject, seq=seq)
        if not 0 < version <= _MAX_VERSION:
            raise ContractError("nobody has so many facts", subject=subject, seq=seq)
        scope = subjects.decode(parts[5]) if len(parts) == 6 else None
        fact = self._fact(type_, body, scope)
        if fact.scope != scope:  # who may write is decided by subjects
            raise ContractError("its subject ends otherwise than the fact says", subject=subject, seq=seq)
        return Recorded(
            seq=seq,
            aggregate=aggregate,
            id=id,
            version=version,
            at=at,
            source=source,
            cause=cause,
            fact=fact,
            stored_at=stored_at(headers),
        )

    def _fact(self, type_: str, body: bytes, scope: str | None) -> Fact:
        if is_too_deep(body, MAX_BODY_DEPTH):
            raise ContractError(f"not a {type_}: it is nested more than {MAX_BODY_DEPTH} deep")
        fact = self._decoded(type_, body, scope)
        if fault := fault_of(fact):
            raise ContractError(f"not a {type_}: {fault}")
        return fact

    def _decoded(self, type_: str, body: bytes, scope: str | None) -> Fact:
        try:
            if type_ in self._upcasters:
                type_, lifted = upcast(type_, msgspec.json.decode(body, type=dict[str, Any]), self._upcasters)
                return msgspec.convert(lifted, known_facts()[type_])
            decoder = self._decoders.get(type_)
            if decoder is None:
                return UnknownFact(wire_type=type_, body=body, subject_scope=scope)
            return decoder.decode(body)
        except (msgspec.MsgspecError, IndexError, KeyError, ValueError, RecursionError) as exc:
            raise ContractError(f"not a {type_}: {exc}") from exc


def stored_at(headers: Mapping[str, str]) -> datetime | None:
    """When the server stored a message, as it says itself, in nanoseconds, which are cut; None where it does not."""
    try:
        at = datetime.fromisoformat(headers.get("Nats-Time-Stamp", ""))
    except ValueError:
        return None
    return at if at.tzinfo else None


def _broken(seq: int, subject: str, headers: Mapping[str, str], body: bytes, why: Exception) -> Recorded:
    """What is known of a message that cannot be read: where it stands and since when, which the server says."""
    since = stored_at(headers)
    _, _, aggregate, token, name, scope, *_ = [*subject.split("."), "", "", "", ""]
    return Recorded(
        seq=seq,
        aggregate=aggregate,
        id=(id := _decoded(token)),
        version=0,
        at=since or FIRST,
        source="",
        cause=Cause(correlation_id=f"{aggregate}/{id}"),
        fact=BrokenFact(
            wire_type=f"{aggregate}.{name}.?",
            body=body,
            reason=words_of(why),
            subject_scope=_decoded(scope) if scope else None,
        ),
        stored_at=since,
    )


def _decoded(token: str) -> str:
    """The name, or the token where it stands for none."""
    try:
        return subjects.decode(token)
    except ContractError:
        return token


def _must_be_readable(fact: Fact, body: bytes) -> None:
    """What we append, every reader takes."""
    fault = "it is nested too deeply" if is_too_deep(body, MAX_BODY_DEPTH) else fault_of(fact)
    if fault:
        raise ContractError(f"this cannot be written down: {fault}", type=fact.type_)


def _quote(text: str) -> str:
    return quote(text, safe=_PRINTABLE)


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


_ENCODER = msgspec.json.Encoder()
