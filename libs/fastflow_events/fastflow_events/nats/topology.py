"""Every stream and every consumer of the bus, declared once; only the deploy step applies them.

How large a stream may become is the deploy step's to say: `sizes`.
"""

from collections.abc import Mapping, Sequence

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    RePublish,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)

from fastflow_events import subjects
from fastflow_events.envelope import MAX_FACT_BYTES

GIB = 1024**3
MIB = 1024**2
DAY_S = 86_400.0
EVENTS = "FASTFLOW_EVENTS"
OUTPUT = "FASTFLOW_OUTPUT"
SAMPLES = "FASTFLOW_SAMPLES"
TRIGGERS = "FASTFLOW_TRIGGERS"
DEAD = "FASTFLOW_DEAD"
CODE_BUCKET = "fastflow-code"
CODE = f"OBJ_{CODE_BUCKET}"
ARTIFACTS_BUCKET = "fastflow-artifacts"
ARTIFACTS = f"OBJ_{ARTIFACTS_BUCKET}"
ARTIFACTS_AGE_S = 30 * DAY_S
"""How long files that runs left behind are kept."""
COMMITS = "KV_fastflow-commits"
RUNNERS = "KV_fastflow-runners"
LEASES = "KV_fastflow-leases"
LEAST_STORE_BYTES = GIB
"""Nothing works in less."""
SCHEMA = "2"
"""Shape of `FASTFLOW_EVENTS`; a stream of another shape cannot be made into one of this."""
DEFAULT_POOL = "default"
PREHEAT = "runner-preheat"
"""Durable consumer of new versions of pipelines, whose environments runners prepare ahead."""
HEARTBEAT_TTL_S = 15.0
"""How long a runner's lease lives after its last heartbeat."""
LEADER_TTL_S = 5.0
"""How long a silent leader keeps the others waiting."""
HEADER_BYTES = 16_384
"""Room for the envelope beside a fact's body."""


def streams(bounds: Mapping[str, int]) -> list[StreamConfig]:
    """Every stream, complete; `bounds` are the `max_bytes` of those that grow.

    Whether facts may be deleted is up to the accounts: nobody but the deployer may. `deny_delete` and `deny_purge` are
    not set, because they can never be taken back. Nothing is compressed: see ADR-0028.
    """
    return [
        _stream(
            EVENTS,
            [subjects.EVENTS],
            max_bytes=bounds[EVENTS],
            max_msg_size=MAX_FACT_BYTES + HEADER_BYTES,
            discard=DiscardPolicy.NEW,
            allow_atomic=True,
            republish=RePublish(src=subjects.EVENTS, dest=subjects.FEED, headers_only=True),
            metadata={"schema": SCHEMA},
        ),
        _stream(
            OUTPUT,
            [subjects.OUTPUT],
            max_bytes=bounds[OUTPUT],
            max_msg_size=MIB,
            max_age=30 * DAY_S,
            republish=RePublish(src=subjects.OUTPUT, dest=subjects.OUTPUT_BELL, headers_only=True),
        ),
        _stream(SAMPLES, [subjects.SAMPLES], max_bytes=bounds[SAMPLES], max_msg_size=65_536, max_age=30 * DAY_S),
        _stream(
            TRIGGERS,
            [subjects.TRIGGERS],
            max_bytes=bounds[TRIGGERS],
            max_msg_size=MIB,
            retention=RetentionPolicy.WORK_QUEUE,
            discard=DiscardPolicy.NEW,
        ),
        _stream(DEAD, [subjects.DEAD], max_bytes=bounds[DEAD], max_msg_size=2 * MIB, max_age=90 * DAY_S),
        _stream(
            CODE,
            [f"$O.{CODE_BUCKET}.C.>", f"$O.{CODE_BUCKET}.M.>"],
            max_bytes=bounds[CODE],
            discard=DiscardPolicy.NEW,
            allow_rollup_hdrs=False,  # a roll-up deletes, and only the deployer deletes
        ),
        _stream(
            ARTIFACTS,
            [f"$O.{ARTIFACTS_BUCKET}.C.>", f"$O.{ARTIFACTS_BUCKET}.M.>"],
            max_bytes=bounds[ARTIFACTS],
            max_age=ARTIFACTS_AGE_S,
            discard=DiscardPolicy.NEW,
            allow_rollup_hdrs=False,
        ),
        _bucket(COMMITS, None, max_bytes=64 * MIB),
        _bucket(RUNNERS, HEARTBEAT_TTL_S),
        _bucket(LEASES, LEADER_TTL_S),
    ]


def consumers(pools: Sequence[str] = (DEFAULT_POOL,)) -> list[tuple[str, ConsumerConfig]]:
    """Every durable consumer with the stream it reads."""
    return [
        (TRIGGERS, _durable("gateway-triggers", subjects.TRIGGERS, ack_wait=30)),
        (EVENTS, _durable("git_sync-sync", subjects.event("repository", fact="sync_requested"), ack_wait=30)),
        (EVENTS, _durable("git_sync-versions", subjects.event("run", fact="requested"), ack_wait=60)),
        (EVENTS, _durable(PREHEAT, subjects.event("pipeline", fact="version_stored"), ack_wait=60)),
        *(
            (EVENTS, _durable(dispatch_durable(pool), subjects.event("run", fact="dispatched", scope=pool), ack_wait=5))
            for pool in pools
        ),
    ]


def dispatch_durable(pool: str) -> str:
    """Name of the durable consumer that is a pool's work queue."""
    return f"runner-dispatch-{subjects.encode(pool)}"


def _stream(name: str, subjects_: list[str], **more: object) -> StreamConfig:
    config = StreamConfig(
        name=name,
        subjects=subjects_,
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        compression=StoreCompression.NONE,
        allow_direct=True,
        num_replicas=1,
        duplicate_window=120,
    )
    return config.evolve(**more)


def key(bucket: str, token: str) -> str:
    """Where a key-value bucket keeps the key that is this token."""
    return f"${bucket.replace('KV_', 'KV.', 1)}.{token}"


def _bucket(name: str, ttl_s: float | None, *, max_bytes: int = 16 * MIB) -> StreamConfig:
    """A key-value bucket whose keys die `ttl_s` after they were written last; None: when there is no more room."""
    return _stream(
        name,
        [key(name, ">")],
        max_bytes=max_bytes,
        max_msg_size=65_536,
        max_msgs_per_subject=1,
        max_age=ttl_s,
        duplicate_window=min(ttl_s or 120, 120),
        allow_rollup_hdrs=True,
    )


def _durable(name: str, filter_subject: str, *, ack_wait: float) -> ConsumerConfig:
    return ConsumerConfig(
        durable_name=name,
        filter_subject=filter_subject,
        ack_policy=AckPolicy.EXPLICIT,
        deliver_policy=DeliverPolicy.ALL,
        ack_wait=ack_wait,
        max_deliver=-1,
        max_ack_pending=1000,
    )
