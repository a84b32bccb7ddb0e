"""The keys that open sealed values: read from this machine, their public half published for those who seal."""

import base64
import logging

from fastflow_events.aggregates.keyring.commands import PublishKey
from fastflow_events.aggregates.keyring.decider import keyring_decider
from fastflow_events.aggregates.keyring.events import KEYRING
from fastflow_events.errors import ContractError, DomainError, SettingsError
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.nats.leases import heartbeats
from fastflow_events.recorded import Cause
from fastflow_events.sealing import public_key_of
from fastflow_events.service.sealing_keys import FILE_NAME, make_keys_file, read_keys
from nats.aio.client import Client

from fastflow_runner.core.unsealing import Keys, legacy_key
from fastflow_runner.settings import RunnerSettings

logger = logging.getLogger(__name__)


def load_keys(settings: RunnerSettings) -> Keys:
    """Read the keys; a home without sealing keys gets one.

    Raises:
        SettingsError: a file that is named cannot be used, or both forms of the older key are there.
    """
    path = settings.sealing_keys_file
    if path is None:
        path = settings.shared_folder / FILE_NAME
        if make_keys_file(path):
            logger.warning("made a sealing key; keep a copy of %s", path, extra={"action": "sealing_key_made"})
    return Keys(private=read_keys(path), legacy=_legacy(settings))


async def publish_key(nc: Client, log: EventLog, keys: Keys, runner: str) -> None:
    """Let others seal for the newest of our keys.

    Where the key in use is not among ours and another runner lives, ours is kept back: values sealed for it could be
    opened by nobody else.

    Raises:
        InfrastructureError: the bus did not answer.
        ConcurrencyError: others publish at the same time, again and again.
    """
    ring = keyring_decider.fold((await log.load("keyring", KEYRING)).facts)
    if foreign := sorted(ring.keys.keys() - keys.private.keys()):
        logger.warning(
            "values sealed for the keys %s cannot be opened here",
            ", ".join(foreign),
            extra={"action": "sealing_keys_missing"},
        )
    others = (await heartbeats(nc)).keys() - {runner}
    if ring.current in foreign and others:
        logger.error(
            "this runner does not have the sealing key in use; give it the file of the others",
            extra={"action": "sealing_key_kept_back", "others": ", ".join(sorted(others))},
        )
        return
    id, private_key = list(keys.private.items())[-1]
    command = PublishKey(key_id=id, public_key=base64.b64encode(public_key_of(private_key)).decode(), runner=runner)
    try:
        published = await execute(log, keyring_decider, KEYRING, command, cause=Cause(correlation_id=f"keyring/{id}"))
    except (DomainError, ContractError) as exc:
        logger.error("the sealing key is not published: %s", exc, extra={"action": "sealing_key_unsaid"})  # noqa: TRY400
        return
    if published:
        logger.info("published the sealing key %s", id, extra={"action": "sealing_key_published"})


def _legacy(settings: RunnerSettings) -> bytes | None:
    file, text = settings.encryption_key_file, settings.encryption_key
    if file is None:
        return legacy_key(text) if text else None
    if text:
        raise SettingsError("FASTFLOW_ENCRYPTION_KEY and FASTFLOW_ENCRYPTION_KEY_FILE are both set; remove one")
    try:
        return legacy_key(file.read_text())
    except (OSError, UnicodeDecodeError) as exc:
        raise SettingsError(f"the encryption key in {file} cannot be read: {type(exc).__name__}") from None
