"""For whoever has locked everybody out and has the machine: `fastflow-gateway recover`."""

from collections.abc import Callable
from datetime import timedelta

from fastflow_events.aggregates.access.commands import CreateToken
from fastflow_events.aggregates.access.decider import token_decider
from fastflow_events.aggregates.access.grants import Grant
from fastflow_events.execute import execute
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.recorded import Cause
from fastflow_events.service.clock import utc_now

from fastflow_gateway.adapters.access_files import access_key
from fastflow_gateway.handlers.first_admin import BY
from fastflow_gateway.handlers.tokens import fresh_token_id, minted
from fastflow_gateway.settings import GatewaySettings

VALID = timedelta(hours=1)


async def recover(settings: GatewaySettings, random_bytes: Callable[[int], bytes]) -> str:
    """A token of an admin, valid for an hour. The gateway's own key on the bus is the proof: it could write any fact.

    Raises:
        SettingsError: the access key cannot be read.
        InfrastructureError: the bus cannot be used.
    """
    key = access_key(settings.access_key_path)
    now = utc_now()
    text, created = minted(random_bytes, key, "recovery", "recovery", Grant("admin"), expires_at=now + VALID, by=BY)
    async with connect(settings, "recovery") as nc:
        log = JetStreamLog(nc, source="/fastflow/gateway/recovery")
        cause = Cause(correlation_id=random_bytes(16).hex())
        command = CreateToken(token=created, at=now)
        await execute(log, token_decider, fresh_token_id(random_bytes), command, cause=cause)
    return text
