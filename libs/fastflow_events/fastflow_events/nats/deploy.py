"""The deploy step: make the bus look like `topology` says, without ever weakening what is there."""

import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from nats.aio.client import Client
from nats.js.api import ConsumerConfig, StreamConfig
from nats.js.errors import APIError, NotFoundError

from fastflow_events.errors import DomainError, InfrastructureError
from fastflow_events.nats import sizes, topology
from fastflow_events.nats.server_process import STORE_BYTES
from fastflow_events.nats.widening import differences, unchangeable, widened

logger = logging.getLogger(__name__)

_NO_ROOM = 10047  # nats-server errors.json


class WeakerStreamError(DomainError):
    """The declaration cannot be reached from the existing stream."""

    code = "weaker-stream"


class OtherShapeError(DomainError):
    """The log was made by a release whose log this one cannot take over."""

    code = "log-of-another-shape"


async def deploy(
    nc: Client,
    *,
    pools: Sequence[str] = (topology.DEFAULT_POOL,),
    store: int = STORE_BYTES,
    bounds: Mapping[str, int] | None = None,
    chosen: Collection[str] = (),
) -> list[str]:
    """Create or widen every stream and consumer; return what changed, in words. Safe to repeat.

    `bounds` are the `max_bytes` that `sizes` derived for a store of that size; `chosen` names the streams whose bound
    somebody chose.

    Raises:
        OtherShapeError: the log is of another shape; nothing was changed.
        WeakerStreamError: an existing stream was made for something else; nothing was changed on it.
        NoRoomError: a bound does not fit into the store; nothing was changed.
        InfrastructureError: the server refused.
    """
    changed = []
    try:
        existing = await _existing(nc)
        if (log := existing.get(topology.EVENTS)) is not None:
            refuse_another_shape(log)
        fit = sizes.fitting(
            {name: config.max_bytes or 0 for name, config in existing.items()},
            bounds or sizes.bounds(store),
            store=store,
            chosen=chosen,
        )
        for stream in topology.streams(fit):
            changed += await _deploy_stream(nc, existing.get(stream.name or ""), stream)
        for stream_name, consumer in topology.consumers(pools):
            changed += await _deploy_consumer(nc, stream_name, consumer)
    except APIError as exc:
        more = "; give NATS a larger store (FASTFLOW_STORE_BYTES)" if exc.err_code == _NO_ROOM else ""
        raise InfrastructureError(f"the server refused the deployment: {exc.description}{more}") from exc
    for what in changed:
        logger.info("%s", what, extra={"action": "deployed"})
    return changed


def refuse_another_shape(log: StreamConfig) -> None:
    """Take over no log but one of our shape.

    Raises:
        OtherShapeError: it has another one; the sentence says what to do.
    """
    shape = (log.metadata or {}).get("schema", "1")
    if shape != topology.SCHEMA:
        raise OtherShapeError(
            f"the log here has shape {shape}, this release needs shape {topology.SCHEMA}, and no existing log can be "
            "given another one: start with an empty home (compose: new volumes), and keep this one for the release "
            "that made it"
        )


async def _existing(nc: Client) -> dict[str, StreamConfig]:
    """Every stream of the account, ours or not.

    Ours are asked for one by one, because a cluster leaves out of its list what has no leader for a moment. The list
    has pages, and a cluster repeats the last one for ever.
    """
    js = nc.jetstream()
    found: dict[str, StreamConfig] = {}
    while (page := {i.config.name or "": i.config for i in await js.streams_info(offset=len(found))}).keys() - found:
        found |= page
    for declared in topology.streams(sizes.bounds()):
        assert declared.name is not None
        with suppress(NotFoundError):
            found[declared.name] = (await js.stream_info(declared.name)).config
    return found


async def _deploy_stream(nc: Client, existing: StreamConfig | None, declared: StreamConfig) -> list[str]:
    js = nc.jetstream()
    if existing is None:
        await js.add_stream(declared)
        return [f"stream {declared.name} created"]
    if other := unchangeable(existing, declared):
        name = declared.name or ""
        raise WeakerStreamError(f"stream {name} was made for something else: {'; '.join(other)}", stream=name)
    wanted = widened(existing, declared)
    if not (different := differences(existing, wanted)):
        return []
    await js.update_stream(wanted)
    return [f"stream {declared.name} changed: {'; '.join(different)}"]


async def _deploy_consumer(nc: Client, stream: str, wanted: ConsumerConfig) -> list[str]:
    js = nc.jetstream()
    name = wanted.durable_name
    assert name is not None
    try:
        existing = (await js.consumer_info(stream, name)).config
    except NotFoundError:
        await js.add_consumer(stream, wanted)
        return [f"consumer {name} created"]
    fields = ("filter_subject", "ack_wait", "max_deliver", "max_ack_pending")
    if all(getattr(existing, f) == getattr(wanted, f) for f in fields):
        return []
    await js.add_consumer(stream, wanted)
    return [f"consumer {name} changed"]
