"""The deploy step: make the bus look like `topology` says, without ever weakening what is there."""

import logging
from collections.abc import Sequence

from nats.aio.client import Client
from nats.js.api import ConsumerConfig, DiscardPolicy, StreamConfig
from nats.js.errors import APIError, NotFoundError

from fastflow_events import topology
from fastflow_events.errors import DomainError, InfrastructureError

logger = logging.getLogger(__name__)

_LIMITS = ("max_bytes", "max_age", "max_msgs", "max_msg_size")
_GUARDS = ("deny_delete", "deny_purge", "allow_direct", "allow_atomic")


class WeakerStreamError(DomainError):
    """The declaration would take a promise back that the existing stream keeps."""

    code = "weaker-stream"


async def deploy(nc: Client, *, pools: Sequence[str] = (topology.DEFAULT_POOL,)) -> list[str]:
    """Create or widen every stream and consumer; return what changed, in words. Safe to repeat.

    Raises:
        WeakerStreamError: an existing stream is stronger than its declaration; nothing was changed on it.
        InfrastructureError: the server refused.
    """
    changed = []
    try:
        for stream in topology.streams():
            changed += await _deploy_stream(nc, stream)
        for stream_name, consumer in topology.consumers(pools):
            changed += await _deploy_consumer(nc, stream_name, consumer)
    except APIError as exc:
        raise InfrastructureError(f"the server refused the deployment: {exc.description}") from exc
    for what in changed:
        logger.info("%s", what, extra={"action": "deployed"})
    return changed


async def _deploy_stream(nc: Client, wanted: StreamConfig) -> list[str]:
    js = nc.jetstream()
    assert wanted.name is not None
    try:
        existing = (await js.stream_info(wanted.name)).config
    except NotFoundError:
        await js.add_stream(wanted)
        return [f"stream {wanted.name} created"]
    if lost := weakened(existing, wanted):
        raise WeakerStreamError(f"stream {wanted.name} would be weakened: {'; '.join(lost)}", stream=wanted.name)
    if not (different := differences(existing, wanted)):
        return []
    await js.update_stream(wanted)
    return [f"stream {wanted.name} changed: {'; '.join(different)}"]


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


def differences(existing: StreamConfig, wanted: StreamConfig) -> list[str]:
    """Every setting that we declare and the stream does not have, in words."""
    found = []
    for field, value in vars(wanted).items():
        have = getattr(existing, field)
        if value is not None and field != "metadata" and not _same(field, have, value):
            found.append(f"{field} {have} → {value}")
    return found


def weakened(existing: StreamConfig, wanted: StreamConfig) -> list[str]:
    """Every promise the existing stream keeps and the declaration would take back, in words."""
    lost = [
        f"{name} would be switched off" for name in _GUARDS if getattr(existing, name) and not getattr(wanted, name)
    ]
    for name in _LIMITS:
        have, want = _limit(getattr(existing, name)), _limit(getattr(wanted, name))
        if want < have:
            lost.append(f"{name} would shrink from {have:g} to {want:g}")
    if existing.discard == DiscardPolicy.NEW and wanted.discard != DiscardPolicy.NEW:
        lost.append("old messages would be discarded")
    lost += [f"subject {s} would be dropped" for s in set(existing.subjects or ()) - set(wanted.subjects or ())]
    lost += [
        f"{name} would change from {getattr(existing, name)} to {getattr(wanted, name)}"
        for name in ("retention", "storage")
        if getattr(existing, name) != getattr(wanted, name)
    ]
    if (existing.num_replicas or 1) > (wanted.num_replicas or 1):
        lost.append(f"replicas would shrink from {existing.num_replicas} to {wanted.num_replicas}")
    return lost


def _limit(value: float | None) -> float:
    """0, -1 and None are "no limit"."""
    return value if value is not None and value > 0 else float("inf")


def _same(field: str, have: object, want: object) -> bool:
    if field in _LIMITS or field in ("max_consumers", "max_msgs_per_subject"):
        return _limit(have) == _limit(want)  # type: ignore[arg-type]
    return have == want or (not have and not want)
