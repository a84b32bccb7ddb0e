"""Which repositories are watched, and how git_sync gets in."""

import re
from collections.abc import Callable
from typing import Annotated

import msgspec
from fastflow_events import sealing
from fastflow_events.absent import NoSuchRepository
from fastflow_events.aggregates.repository.commands import ConfigureRepository, RemoveRepository, RequestDeployKey
from fastflow_events.aggregates.repository.decider import repository_decider
from fastflow_events.aggregates.repository.events import Credentials, RepositoryConfigured
from fastflow_events.errors import ContractError, NotFoundError
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause
from fastflow_rules.remote import InvalidRemoteError, Remote, check_branch, check_subfolder, remote
from msgspec import Meta, Struct

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import FileName, KnownHosts, NoTokenNeeded, TokenGivenTwice, TokenOfAnotherAddress
from fastflow_gateway.core.names import must_be_name
from fastflow_gateway.core.views import repositories as view
from fastflow_gateway.core.views.repositories import RepositoryRow
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers.settling import settle
from fastflow_gateway.handlers.sync import SyncAccepted
from fastflow_gateway.ports import Questions, ReadModel

_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_HOST_KEY = re.compile(
    r"\S+ (?:ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}(?: .*)?|@(?:cert-authority|revoked) .+|#.*"
)


class RepositoryBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repository to watch; what is left out is not kept from before."""

    url: Annotated[str, Meta(max_length=2000)]
    """https://, http://, ssh://, user@host:path, or file:// where that is allowed; never with a password."""
    branch: Annotated[str, Meta(max_length=200)] = "main"
    subfolder: Annotated[str, Meta(max_length=500)] = ""
    user: Annotated[str, Meta(max_length=200)] = ""
    """User name that goes with the token."""
    token: Annotated[str, Meta(max_length=4000)] = ""
    """Password or token for HTTPS; sealed before it is stored, so that only git_sync can read it."""
    sealed_token: Annotated[str, Meta(max_length=8000)] = ""
    """The same, sealed by the caller for this address or what it lies in: `sealed:v1:…`."""
    token_file: Annotated[str, Meta(max_length=100)] = ""
    """The same, as the name of a file in git_sync's folder of secrets."""
    ssh_key_file: Annotated[str, Meta(max_length=100)] = ""
    """Name of a file in git_sync's folder of secrets; else its deploy key is used."""
    known_hosts: Annotated[str, Meta(max_length=16_000)] = ""
    """Public keys of the SSH host, as lines of `known_hosts`."""


class _Key(Struct, frozen=True):
    public_key: bytes


async def configure(deps: Deps, name: str, body: RepositoryBody, *, who: str, cause: Cause) -> RepositoryRow:
    """Watch a repository, or watch it differently from now on.

    Raises:
        InvalidParameterError: its name is none.
        InvalidFieldError: an address, a branch or credentials that cannot be.
        ConfiguredByEnvironmentError: the environment of git_sync says what this repository is.
        InfrastructureError: git_sync is not there to seal a token for, or the log failed.
    """
    configured = await configured_of(deps, name, body, who=who)
    command = ConfigureRepository(configured=configured)
    await settle(deps.changes, await execute(deps.log, repository_decider, name, command, cause=cause))
    row = view.fold((await deps.log.load("repository", name)).recorded)
    assert row is not None  # it was configured just now
    return row


async def configured_of(deps: Deps, name: str, body: RepositoryBody, *, who: str) -> RepositoryConfigured:
    """What a body says, as it would stand in the log: a token is sealed.

    Raises:
        InvalidFieldError: an address, a branch or credentials that cannot be.
        InfrastructureError: git_sync is not there to seal a token for.
    """
    must_be_name(name, "name")
    url = _checked(body.url, "/url", lambda url: remote(url).shown)
    return RepositoryConfigured(
        url=url,
        branch=_checked(body.branch, "/branch", check_branch),
        subfolder=_checked(body.subfolder, "/subfolder", check_subfolder),
        by="api",
        credentials=await _credentials(deps, name, body),
        who=who,
    )


async def remove(deps: Deps, name: str, *, who: str, cause: Cause) -> None:
    """Watch a repository no more; its pipelines go, its runs and their code stay.

    Raises:
        NotFoundError: it is not watched.
        ConfiguredByEnvironmentError: only the environment can remove it.
    """
    command = RemoveRepository(by="api", who=who)
    await settle(deps.changes, await execute(deps.log, repository_decider, name, command, cause=cause))


async def request_deploy_key(log: EventLog, name: str, *, who: str, cause: Cause) -> SyncAccepted:
    """Ask git_sync for a new SSH key; its public half appears in the repository's row.

    Raises:
        NotFoundError: it is not watched.
    """
    [recorded] = await execute(log, repository_decider, name, RequestDeployKey(who=who), cause=cause)
    return SyncAccepted(repository=name, seq=recorded.seq)


async def find_repository(rows: ReadModel, name: str) -> RepositoryRow:
    """A watched repository.

    Raises:
        NotFoundError: it is not watched.
    """
    row = await rows.repository(name)
    if row is None or row.status == "removed":
        raise NotFoundError(NoSuchRepository(), repository=name)
    return row


def _checked(value: str, pointer: str, check: Callable[[str], str]) -> str:
    try:
        return check(value)
    except InvalidRemoteError as exc:
        raise InvalidFieldError(exc.statement, pointer) from exc


async def _credentials(deps: Deps, name: str, body: RepositoryBody) -> Credentials:
    given = [member for member in ("token", "sealed_token", "token_file") if getattr(body, member)]
    if len(given) > 1:
        raise InvalidFieldError(TokenGivenTwice(given[0], given[1]), f"/{given[1]}")
    for member in ("token_file", "ssh_key_file"):
        if (file := getattr(body, member)) and not _FILE.fullmatch(file):
            raise InvalidFieldError(FileName(), f"/{member}")
    for line in body.known_hosts.splitlines():
        if line.strip() and not _HOST_KEY.fullmatch(line.strip()):
            raise InvalidFieldError(KnownHosts(), "/known_hosts")
    sealed = body.sealed_token
    if sealed:
        _check_sealed(sealed)
        await _check_place(deps.log, name, sealed, remote(body.url))
    if body.token:
        sealed = await _sealed(deps.questions, name, remote(body.url), body.token)
    return Credentials(
        user=body.user or ("" if (place := remote(body.url)).protocol == "ssh" else place.user),
        token_file=body.token_file,
        sealed_token=sealed,
        ssh_key_file=body.ssh_key_file,
        known_hosts=body.known_hosts,
    )


def _check_sealed(text: str) -> None:
    try:
        sealing.parse(text)
    except ContractError as exc:
        raise InvalidFieldError(exc.statement, "/sealed_token") from exc


async def _check_place(log: EventLog, name: str, sealed: str, place: Remote) -> None:
    """A sealed text that stands in the log was given for the address that stands there with it, and for no other."""
    for fact in (await log.load("repository", name)).facts:
        if not isinstance(fact, RepositoryConfigured) or fact.credentials.sealed_token != sealed:
            continue
        if fact.url != place.shown:
            raise InvalidFieldError(TokenOfAnotherAddress(fact.url), "/sealed_token")


async def _sealed(questions: Questions, name: str, place: Remote, token: str) -> str:
    if why := sealing.why_not_sealable(token):
        raise InvalidFieldError(why, "/token")
    if not place.addresses:
        raise InvalidFieldError(NoTokenNeeded(), "/token")
    answer = msgspec.json.decode(await questions.ask("key", b""), type=_Key)
    return sealing.seal(answer.public_key, sealing.for_repository(name, place.addresses[0]), token)
