"""The state in SQLite, so that a restart folds only what is new."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec
from fastflow_events import subjects
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.recorded import Recorded
from fastflow_events.service.store import Store
from fastflow_rules.queue.admission import Version

from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.core.state.pipelines import version_of

SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
NOWHERE = 2**63
"""Behind every position: what is committed meanwhile is not in the state."""
_VERSION = msgspec.json.Decoder(Version)
_ENCODER = msgspec.json.Encoder()
_IN_DOUBT = -1
"""Position of a state that may be ahead of its file."""


class StateProjection:
    """Folds every fact into the state and its file; `changed` rings as soon as the state knows a batch.

    What follows from it is then decided while its rows are written: a decision needs the log, not the file.
    """

    name = "scheduler-state"
    subject = subjects.EVENTS

    def __init__(self, store: Store, state: SchedulerState) -> None:
        self._store = store
        self._state = state
        self._folded_to = 0
        self._ahead_to = 0
        self._unwritten: dict[tuple[str, str], Version] = {}
        """Versions of the batch in hand."""
        self.changed = asyncio.Event()

    async def apply(self, batch: Sequence[Recorded]) -> None:
        """Fold one batch; the rows of what changed are written once."""
        if not batch:
            return
        if self._folded_to == _IN_DOUBT:
            await self.load()
        self._folded_to, self._ahead_to = _IN_DOUBT, batch[-1].seq  # until its rows are stored
        self._unwritten.clear()
        try:
            for recorded in batch:
                await self._fold(recorded)
            self.changed.set()
            self._write()
        except Exception:
            await self.load()  # nothing may be decided on half of a fact
            raise

    async def _fold(self, recorded: Recorded) -> None:
        fact = recorded.fact
        if isinstance(fact, PipelineVersionStored):
            self._keep_version(recorded.id, fact)
        version = await self._version(fact) if isinstance(fact, RunRequested) else None
        self._state.apply(recorded, version)

    def doubt(self, aggregate: str, id: str) -> None:
        """Decide nothing more about it."""
        self._state.doubt(aggregate, id)

    def committed(self, seq: int) -> None:
        """The file knows as much as the state."""
        if seq < self._ahead_to:
            return  # the state is ahead of its file: it is read anew before the next batch
        self._folded_to = seq
        self._state.seq = max(self._state.seq, seq)
        self.changed.set()

    async def load(self) -> None:
        """Read the state from its file: at the start, and after a batch that could not be folded or stored."""
        state, reader = self._state, self._store.reader
        self._folded_to, self._ahead_to = _IN_DOUBT, NOWHERE
        state.doubted |= {(fact.aggregate, fact.id) for fact in await self._store.aside() if not fact.foreign}
        state.reset()
        for table in state.tables():
            decoder = msgspec.json.Decoder(table.kind)
            rows = await reader.execute_fetchall("SELECT key, body FROM records WHERE kind = ?", (table.name,))
            table.load({row["key"]: decoder.decode(row["body"]) for row in rows})
        for open_run in state.runs.table.values():
            request = open_run.request
            known = state.pipelines.version(request)
            state.pipelines.use(request, known or await self._version(request))
        state.seq = self._folded_to = self._ahead_to = await self._store.checkpoint()
        state.rebuild()

    async def _version(self, request: RunRequested) -> Version | None:
        known = self._state.pipelines.version(request)
        if known is not None or request.commit is None:
            return known
        if (unwritten := self._unwritten.get((request.pipeline, request.commit))) is not None:
            return unwritten
        async with self._store.db.execute(
            "SELECT body FROM versions WHERE pipeline = ? AND commit_sha = ?", (request.pipeline, request.commit)
        ) as cursor:
            row = await cursor.fetchone()
        return _VERSION.decode(row["body"]) if row else None

    def _keep_version(self, pipeline: str, fact: PipelineVersionStored) -> None:
        version = self._unwritten[pipeline, fact.commit] = version_of(fact)
        row = (pipeline, fact.commit, _ENCODER.encode(version))
        self._store.write("INSERT OR REPLACE INTO versions VALUES (?, ?, ?)", [row])

    def _write(self) -> None:
        kept, gone = [], []
        for table in self._state.tables():
            for key in table.dirty:
                thing = table.get(key)
                if thing is None:
                    gone.append((table.name, key))
                else:
                    kept.append((table.name, key, _ENCODER.encode(thing)))
            table.dirty.clear()
        if kept:
            self._store.write("INSERT OR REPLACE INTO records VALUES (?, ?, ?)", kept)
        if gone:
            self._store.write("DELETE FROM records WHERE kind = ? AND key = ?", gone)
