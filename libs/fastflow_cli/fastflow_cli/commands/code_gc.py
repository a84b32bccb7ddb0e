"""`gc`: delete stored code that nothing needs any more; the deployer's work."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Annotated

from cyclopts import Parameter
from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.commands import ExpireBundle
from fastflow_events.aggregates.pipeline.decider import pipeline_decider
from fastflow_events.execute import execute
from fastflow_events.log import EventLog
from fastflow_events.nats.accounts import DEPLOYER
from fastflow_events.nats.bundles import CodeKeeper, StoredBundle
from fastflow_events.nats.connection import connect
from fastflow_events.nats.event_log import JetStreamLog
from fastflow_events.nats.room import RoomSettings
from fastflow_events.recorded import Cause
from fastflow_events.service.settings import load
from fastflow_rules.code_gc import Stored, Version
from msgspec import Struct

from fastflow_cli.console import progress, say, show_json, show_table
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import duration
from fastflow_cli.local import bus
from fastflow_cli.local.code_gc_loop import collect_once, keep_collected, share_of_code
from fastflow_cli.options import HomeOption, Json

Days = Annotated[float, Parameter(name="--keep-days")]
LONGEST_DAYS = 36_500.0
UNDISTURBED = timedelta(hours=1)
"""Between the announcement of a deletion and the deletion."""


class Collected(Struct, frozen=True, kw_only=True):
    """What one pass did."""

    expired: int
    deleted: int
    deleted_bytes: int
    abandoned: int
    kept: int


async def gc(
    *,
    keep_days: Days | None = None,
    dry_run: Annotated[bool, Parameter(negative=())] = False,
    watch: Annotated[bool, Parameter(negative=())] = False,
    home: HomeOption = None,
    nats_url: str | None = None,
    seed_file: Path | None = None,
    json: Json = False,
) -> int:
    """Delete stored code that no head, no open run and no run of the last days needs.

    What is to be deleted is announced first, and deleted by a pass at least an hour later; a run that asks for it in
    between keeps it. Code that is asked for after its deletion is read from Git again.

    Parameters
    ----------
    keep_days
        Code of runs that ended since then stays; else FASTFLOW_CODE_KEEP_DAYS, else 30.
    dry_run
        Only say what would be done.
    watch
        Stay, and do it whenever it is due: once a day, sooner when the store is nearly full.
    home
        Folder of an installation on this machine.
    nats_url
        Server; else FASTFLOW_NATS_URL, else that of the installation on this machine.
    seed_file
        The deployer's key; else FASTFLOW_NATS_SEED_FILE, else that of the installation on this machine.
    json
        For programs.
    """
    settings = bus.settings_of(DEPLOYER, home, nats_url, seed_file)
    if keep_days is None:
        keep_days = load(RoomSettings, os.environ).code_keep_days
    if watch:
        await keep_collected(
            partial(share_of_code, settings), partial(collect_once, settings, keep_days), monotonic, say
        )
    now = datetime.now(UTC)
    with progress("reading the log"):
        async with connect(settings, f"gc-{os.getpid()}") as nc:
            log = JetStreamLog(nc, source=f"/fastflow/gc/{os.getpid()}")
            keep = timedelta(days=min(keep_days, LONGEST_DAYS))
            found = await collect(CodeKeeper(nc), log, now=now, keep=keep, dry_run=dry_run)
    if json:
        show_json(found)
        return Exit.OK
    rows = [
        ("announced", str(found.expired), f"deleted {duration(UNDISTURBED.total_seconds())} from now at the earliest"),
        ("deleted", str(found.deleted), f"{found.deleted_bytes / 1e6:.1f} MB"),
        ("abandoned uploads", str(found.abandoned), ""),
        ("kept", str(found.kept), ""),
    ]
    show_table(("bundles", "number", ""), rows, empty="")
    if dry_run:
        say("nothing was changed")
    return Exit.OK


async def collect(
    code: CodeKeeper,
    log: EventLog,
    *,
    now: datetime,
    keep: timedelta,
    dry_run: bool = False,
    undisturbed: timedelta = UNDISTURBED,
) -> Collected:
    """One pass: announce what nothing needs, delete what was announced long enough ago and is still not needed.

    Descriptions are listed before the log is read: a bundle that is wanted again after the log was read has a newer
    description then, and its deletion is refused by the server.

    Raises:
        InfrastructureError: the server did not answer.
    """
    bundles = await code.stored()
    stored = Stored(keep_since=now - keep)
    async for recorded in log.read(subjects.EVENTS):
        stored.fold([recorded])
    expiring = stored.unneeded()
    settled = now - undisturbed
    wanted = stored.deletable(expired_before=settled)
    wanted |= {tree for tree in bundles.keys() - stored.known() if (bundles[tree].described_at or now) < settled}
    deleting = [bundle for tree, bundle in sorted(bundles.items()) if tree in wanted]
    rubbish = [s async for s in code.abandoned({b.nuid for b in bundles.values()}, before=settled)]
    deleted: Sequence[StoredBundle] = deleting
    if not dry_run:
        await _announce(log, expiring)
        deleted = [bundle for bundle in deleting if await code.delete(bundle, at=now)]
        for subject in rubbish:
            await code.purge(subject)
    return Collected(
        expired=len(expiring),
        deleted=len(deleted),
        deleted_bytes=sum(bundle.size_bytes for bundle in deleted),
        abandoned=len(rubbish),
        kept=len(bundles) - len(deleted),
    )


async def _announce(log: EventLog, expiring: Sequence[Version]) -> None:
    for version in expiring:
        cause = Cause(correlation_id=f"gc-{os.getpid()}")
        await execute(log, pipeline_decider, version.pipeline, ExpireBundle(tree=version.tree), cause=cause)
