"""Secrets: sealed here or before they come here, and never opened here."""

import base64
import re

from fastflow_events import sealing
from fastflow_events.absent import NoSuchSecret
from fastflow_events.aggregates.keyring.decider import Keyring, keyring_decider
from fastflow_events.aggregates.keyring.events import KEYRING
from fastflow_events.aggregates.secret.commands import RemoveSecret, SetSecret
from fastflow_events.aggregates.secret.decider import VersionTakenError, secret_decider
from fastflow_events.errors import InfrastructureError, NotFoundError
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.sealing import NotOpenedError
from fastflow_rules.definition.reserved import PROTECTED
from msgspec import Struct

from fastflow_gateway.core.errors import InvalidFieldError
from fastflow_gateway.core.faults import SecretName, UnknownKey, ValueAlone, ValueOrSealed, VariableFixed
from fastflow_gateway.core.refusals import NoKeyYet, SecretChanges
from fastflow_gateway.core.views.secrets import SecretRow, project

TRIES = 5
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


class PublicKey(Struct, frozen=True, kw_only=True):
    """The key to seal for."""

    key_id: str
    public_key: str
    """32 bytes of X25519, base64."""


class SecretBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The new value: as it is, to be sealed here, or sealed by the caller for the next version."""

    value: str | None = None
    sealed: str | None = None
    version: int | None = None
    """What the sealed text was sealed for; one more than the last version, 1 for a new secret."""

    def __repr__(self) -> str:
        return "SecretWish"


class SealBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value to be sealed for one variable of one pipeline."""

    pipeline: str
    name: str
    value: str

    def __repr__(self) -> str:
        return f"SealWish({self.pipeline}, {self.name})"


class SecretAccepted(Struct, frozen=True, kw_only=True):
    """What was asked for is in the log."""

    name: str
    version: int
    seq: int
    """Stream position of the newest fact about the secret."""


async def public_key(log: EventLog) -> PublicKey:
    """The key in use.

    Raises:
        NotFoundError: no runner has ever started.
    """
    ring = await _ring(log)
    if ring.current is None:
        raise NotFoundError(NoKeyYet())
    return PublicKey(key_id=ring.current, public_key=ring.keys[ring.current])


async def seal_for_pipeline(log: EventLog, body: SealBody) -> str:
    """A text for `encrypted_env` of that pipeline.

    Raises:
        InvalidFieldError: no environment variable can hold the value.
        NotFoundError: there is no key yet.
    """
    _check_value(body.value)
    key = await public_key(log)
    purpose = sealing.for_variable(body.pipeline, body.name)
    return sealing.seal(base64.b64decode(key.public_key), purpose, body.value)


async def set_secret(log: EventLog, name: str, body: SecretBody, *, who: str, cause: Cause) -> SecretAccepted:
    """Give a secret a new value.

    Raises:
        InvalidFieldError: the name or the value is not allowed.
        NotFoundError: there is no key yet.
        VersionTakenError: the caller sealed for a version that is not the next one.
    """
    _check_name(name)
    if body.value is None:
        version, sealed = await _sealed_before(log, body)
        return await _append(log, name, SetSecret(version=version, sealed=sealed, who=who), cause)
    if body.sealed is not None or body.version is not None:
        raise InvalidFieldError(ValueAlone(), "/value")
    _check_value(body.value)
    key = base64.b64decode((await public_key(log)).public_key)
    for _ in range(TRIES):
        secret = secret_decider.fold((await log.load("secret", name)).facts)
        version = secret.version + 1
        sealed = sealing.seal(key, sealing.for_secret(name, version), body.value)
        try:
            return await _append(log, name, SetSecret(version=version, sealed=sealed, who=who), cause)
        except VersionTakenError:
            continue
    raise InfrastructureError(SecretChanges(), secret=name)


async def remove_secret(log: EventLog, name: str, *, who: str, cause: Cause) -> SecretAccepted:
    """Grant a secret to nobody any more.

    Raises:
        NotFoundError: there never was such a secret.
    """
    return await _append(log, name, RemoveSecret(who=who), cause)


async def find_secret(log: EventLog, name: str) -> SecretRow:
    """The secret as the log has it now, removed ones too; its next version is one more.

    Raises:
        NotFoundError: there never was such a secret.
    """
    row: SecretRow | None = None
    for recorded in (await log.load("secret", name)).recorded:
        row = project(row, recorded)
    if row is None:
        raise NotFoundError(NoSuchSecret(), secret=name[:128])
    return row


async def _append(log: EventLog, name: str, command: SetSecret | RemoveSecret, cause: Cause) -> SecretAccepted:
    appended: list[Recorded] = await execute(log, secret_decider, name, command, cause=cause)
    row = await find_secret(log, name)
    return SecretAccepted(name=name, version=row.version, seq=appended[-1].seq if appended else row.seq)


async def _sealed_before(log: EventLog, body: SecretBody) -> tuple[int, str]:
    if body.sealed is None or body.version is None:
        raise InvalidFieldError(ValueOrSealed(), "")
    try:
        sealed = sealing.parse(body.sealed)
    except NotOpenedError as exc:
        raise InvalidFieldError(exc.statement, "/sealed") from exc
    if sealed.key_id not in (await _ring(log)).keys:
        raise InvalidFieldError(UnknownKey(), "/sealed")
    return body.version, body.sealed


async def _ring(log: EventLog) -> Keyring:
    return keyring_decider.fold((await log.load("keyring", KEYRING)).facts)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidFieldError(SecretName())
    if name in PROTECTED:
        raise InvalidFieldError(VariableFixed(name))


def _check_value(value: str) -> None:
    if why := sealing.why_not_sealable(value):
        raise InvalidFieldError(why, "/value")
