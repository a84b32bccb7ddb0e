"""The subject grammar; the only file that writes or reads a dot.

```
fastflow.evt.<aggregate>.<id>.<fact>[.<scope>]   a fact; scope = pool of a dispatch, runner id of a runner's fact
fastflow.feed.…                                  the same, headers only: the bell
fastflow.out.<run_id>.<attempt>.<runner>         output chunks, by whom
fastflow.sample.<run_id>.<attempt>.<runner>      CPU and memory samples
fastflow.trigger.<pipeline>                      requests of other systems, stored
fastflow.request.<pipeline>                      requests of other systems, answered
fastflow.git.<question>                          what the gateway asks git_sync, answered
fastflow.dead.<service>                          what could not be handled
```

An id that is not a subject token (a pipeline name may hold spaces, dots, umlauts) becomes one:
UTF-8 bytes outside `[A-Za-z0-9_-]` are written `=XX`, upper-case hex; `é.x` → `=C3=A9=2Ex`.
"""

import re
from enum import Enum, auto
from typing import Final, NamedTuple

from fastflow_events.errors import ContractError, ImpossibleNameError


class Wildcard(Enum):
    """Stands for every token. It is no text, so that no name can be it: a pipeline may well be called `*`."""

    ANY = auto()


ANY: Final = Wildcard.ANY
EVENTS = "fastflow.evt.>"
FEED = "fastflow.feed.>"
OUTPUT = "fastflow.out.>"
OUTPUT_BELL = "fastflow.bell.out.>"
SAMPLES = "fastflow.sample.>"
TRIGGERS = "fastflow.trigger.*"
REQUESTS = "fastflow.request.*"
GIT_QUESTIONS = "fastflow.git.*"
DEAD = "fastflow.dead.*"
MAX_TOKEN_BYTES = 200

_ODD = re.compile(rb"[^A-Za-z0-9_-]")
_USUAL = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_TOKEN_BYTES}}}")
_TOKEN = re.compile(r"(?:[A-Za-z0-9_-]|=[0-9A-F]{2})+")


class EventSubject(NamedTuple):
    """A fact's subject, taken apart; `id` is decoded."""

    aggregate: str
    id: str
    fact: str
    scope: str | None


def encode(text: str) -> str:
    """Return `text` as one subject token.

    Raises:
        ImpossibleNameError: empty, longer than 200 bytes once encoded, or not a text that UTF-8 can write.
    """
    if _USUAL.fullmatch(text):
        return text
    try:
        raw = text.encode()
    except UnicodeEncodeError as exc:
        raise ImpossibleNameError("a name must be text that UTF-8 can write", name=ascii(text[:80])) from exc
    token = _ODD.sub(lambda odd: b"=%02X" % ord(odd[0]), raw).decode()
    if not token or len(token) > MAX_TOKEN_BYTES:
        raise ImpossibleNameError("a name must have 1 to 200 bytes once encoded as a subject token", name=text[:80])
    return token


def decode(token: str) -> str:
    """Return the text that `encode` turned into `token`.

    Raises:
        ContractError: `encode` never writes such a token.
    """
    if not _TOKEN.fullmatch(token):
        raise ContractError("not a subject token", token=token[:80])
    raw = re.sub(rb"=([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), token.encode())
    try:
        text = raw.decode()
    except UnicodeDecodeError as exc:
        raise ContractError("not a subject token: its bytes are not UTF-8", token=token[:80]) from exc
    if encode(text) != token:
        raise ContractError("not the canonical token of this name", token=token[:80])
    return text


def token(part: str | Wildcard) -> str:
    """Return the token of a name, or the one that covers all.

    Raises:
        ContractError: the name cannot be one.
    """
    return "*" if isinstance(part, Wildcard) else encode(part)


def event(
    aggregate: str, id: str | Wildcard = ANY, fact: str | Wildcard = ANY, scope: str | Wildcard | None = None
) -> str:
    """Return the subject of one fact, or of all facts its wildcards cover.

    Raises:
        ContractError: a part cannot be a token.
    """
    parts = (aggregate, id, fact) if scope is None else (aggregate, id, fact, scope)
    return "fastflow.evt." + ".".join(map(token, parts))


def of_aggregate(aggregate: str, id: str) -> str:
    """Every fact of one aggregate; what optimistic concurrency is checked against."""
    return f"fastflow.evt.{encode(aggregate)}.{encode(id)}.>"


def of_kind(aggregate: str) -> str:
    """Every fact of all aggregates of one kind."""
    return f"fastflow.evt.{encode(aggregate)}.>"


def bell_of(subject: str) -> str:
    """Where the bell rings for facts on `subject`."""
    return subject.replace("fastflow.evt.", "fastflow.feed.", 1)


def parse_event(subject: str) -> EventSubject:
    """Take a fact's subject apart.

    Raises:
        ContractError: not a fact's subject.
    """
    match subject.split("."):
        case ["fastflow", "evt", aggregate, id, fact]:
            return EventSubject(aggregate, decode(id), fact, None)
        case ["fastflow", "evt", aggregate, id, fact, scope]:
            return EventSubject(aggregate, decode(id), fact, decode(scope))
        case _:
            raise ContractError("not the subject of a fact", subject=subject[:200])


def output(run_id: str, attempt: int, runner: str | Wildcard) -> str:
    """Where one runner stores the output chunks of one attempt."""
    return f"fastflow.out.{encode(run_id)}.{attempt}.{token(runner)}"


def output_of_run(run_id: str) -> str:
    """The output chunks of every attempt of one run, by whomever."""
    return f"fastflow.out.{encode(run_id)}.>"


def output_bell(run_id: str) -> str:
    """The bell that rings when output of one run was stored."""
    return f"fastflow.bell.out.{encode(run_id)}.>"


def writer_of_output(subject: str) -> tuple[int, str]:
    """The attempt that a stored output chunk, or sample, belongs to, and the runner that wrote it.

    Raises:
        ContractError: it is no such subject.
    """
    try:
        _, _, _, attempt, runner = subject.split(".")
        return int(attempt), decode(runner)
    except ValueError as exc:
        raise ContractError("not the subject of output", subject=subject[:200]) from exc


def sample(run_id: str, attempt: int, runner: str | Wildcard) -> str:
    """Where one runner stores the samples of one attempt."""
    return f"fastflow.sample.{encode(run_id)}.{attempt}.{token(runner)}"


def samples_of_run(run_id: str) -> str:
    """The samples of every attempt of one run, by whomever."""
    return f"fastflow.sample.{encode(run_id)}.>"


def trigger(pipeline: str) -> str:
    """Where another system asks for a run and goes on."""
    return f"fastflow.trigger.{encode(pipeline)}"


def request(pipeline: str) -> str:
    """Where another system asks for a run and waits for the answer."""
    return f"fastflow.request.{encode(pipeline)}"


def pipeline_of(subject: str) -> str:
    """The pipeline named by a trigger's or a request's subject.

    Raises:
        ContractError: the last token is no encoded name.
    """
    return decode(subject.rsplit(".", 1)[1])


def dead(service: str) -> str:
    """Where a service leaves what it could not handle."""
    return f"fastflow.dead.{encode(service)}"


def git_question(what: str) -> str:
    """Where the gateway asks git_sync something that is in no fact."""
    return f"fastflow.git.{encode(what)}"


def size_of(stream: str) -> str:
    """Where an account asks how large a stream of another account is."""
    return f"fastflow.size.{encode(stream)}"
