"""Schedulers on a log in memory, under a clock that the test sets; everything else is as it is shipped."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
from fastflow_events.aggregates.pipeline.events import PipelineVersionStored
from fastflow_events.aggregates.run.commands import ClaimAttempt, FinishAttempt, RequestCancel, RequestRun, RunCommand
from fastflow_events.aggregates.run.decider import run_decider
from fastflow_events.aggregates.run.events import RunRequested
from fastflow_events.aggregates.run.state import HELD, OVER, Run
from fastflow_events.envelope import headers_of, subject_of
from fastflow_events.execute import execute
from fastflow_events.fact import Fact
from fastflow_events.nats.leases import Leader
from fastflow_events.recorded import Cause, Recorded
from fastflow_events.testing.builders import (
    CAUSE,
    NOON,
    attempt_finished,
    holder,
    pipeline_discovered,
    run_requested,
    version_stored,
)
from fastflow_events.testing.memory_log import MemoryLog
from fastflow_rules.queue.admission import Version
from fastflow_rules.queue.pools import LiveRunner

from fastflow_scheduler.core.state import SchedulerState
from fastflow_scheduler.core.state.pipelines import version_of
from fastflow_scheduler.deps import Deps
from fastflow_scheduler.handlers import decide
from fastflow_scheduler.leadership import Leadership
from fastflow_scheduler.own_writes import OwnWrites
from fastflow_scheduler.settings import SchedulerSettings

SLOTS = 1000


class Scheduler:
    """One replica; its clock may be wrong by `skew`."""

    def __init__(self, world: "World", name: str, skew: timedelta, settings: SchedulerSettings) -> None:
        self._world = world
        self._skew = skew
        self._versions: dict[tuple[str, str], Version] = {}
        self.state = SchedulerState(settings.limits)
        self.state.runs.capacity.set_runners({"runner-1": LiveRunner(slots=SLOTS, pools=("default", "gpu"))})
        self.leadership = Leadership(self._key, world.log, name, settings.limits)
        self.deps = Deps(
            settings=settings,
            log=world.log,
            state=self.state,
            leadership=self.leadership,
            time=self,
            own_writes=OwnWrites(),
        )

    async def _key(self, leader: Leader, *, expected_seq: int) -> int:
        """Everybody has the key: whoever leads is decided by the log alone."""
        return expected_seq + 1 + leader.term

    async def now(self) -> datetime | None:
        """The instant this replica believes in."""
        return self._world.now + self._skew

    async def lead(self) -> None:
        """Take a new term."""
        self.leadership.step_down("for a test")
        await self.leadership.turn()

    async def fold(self) -> None:
        """Learn what the log holds."""
        async for recorded in self._world.log.read("fastflow.evt.>", after_seq=self.state.seq):
            fact = recorded.fact
            if isinstance(fact, PipelineVersionStored):
                self._versions[(recorded.id, fact.commit)] = version_of(fact)
            asked = isinstance(fact, RunRequested) and self._versions.get((fact.pipeline, fact.commit or ""))
            self.state.apply(recorded, asked or None)

    async def act(self) -> None:
        """Learn what is new, and append what follows, once."""
        await self.fold()
        await decide(self.deps)


class World:
    """A log, an instant, and any number of schedulers."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.log = MemoryLog(clock=lambda: self.now)
        self.schedulers: list[Scheduler] = []

    async def scheduler(self, *, skew_s: float = 0, leads: bool = True, **settings: object) -> Scheduler:
        """One more replica, which knows nothing yet."""
        name = f"scheduler-{len(self.schedulers)}"
        made = Scheduler(self, name, timedelta(seconds=skew_s), SchedulerSettings(**settings))  # type: ignore[arg-type]
        if leads:
            await made.lead()
        await made.fold()
        self.schedulers.append(made)
        return made

    async def settle(self) -> None:
        """Let everybody act until nobody has anything more to say."""
        before = -1
        while before != (before := await self.log.last_seq()):
            for scheduler in self.schedulers:
                await scheduler.act()
        for scheduler in self.schedulers:
            await scheduler.act()

    async def advance(self, seconds: float, *, step_s: float | None = None) -> None:
        """Let time pass, and everybody act at every step of it."""
        end = self.now + timedelta(seconds=seconds)
        while self.now < end:
            self.now = min(end, self.now + timedelta(seconds=step_s or seconds))
            await self.settle()

    async def pipeline(self, name: str, commit: str = "c" * 40, **definition: object) -> None:
        """Discover a pipeline, or change what it says."""
        stored = version_stored(commit=commit, definition=definition)
        found = pipeline_discovered(commit=commit, definition=definition)
        await self.append("pipeline", name, [stored, found])

    async def append(self, aggregate: str, id: str, facts: Sequence[Fact]) -> list[Recorded]:
        """Append facts as if their service had."""
        position = (await self.log.load(aggregate, id)).position
        return await self.log.append(position, facts, cause=Cause(correlation_id=f"{aggregate}-{id}"))

    async def stored(self, aggregate: str, id: str, fact: Fact) -> None:
        """A fact that got into the log all the same, past everything that would refuse to append it."""
        position = (await self.log.load(aggregate, id)).position
        recorded = Recorded(
            seq=0,
            aggregate=aggregate,
            id=id,
            version=position.version + 1,
            at=self.now,
            source="/fastflow/test/0",
            cause=CAUSE,
            fact=fact,
        )
        await self.log.put(subject_of(recorded), headers_of(recorded), msgspec.json.encode(fact))

    async def request(self, run_id: str, pipeline: str = "hello", **more: object) -> None:
        """Somebody wants a run."""
        await self.tell(run_id, RequestRun(request=run_requested(pipeline=pipeline, **more)))

    async def tell(self, run_id: str, command: RunCommand) -> None:
        """Somebody does something with a run."""
        await execute(self.log, run_decider, run_id, command, cause=CAUSE)

    async def cancel(self, run_id: str, **more: object) -> None:
        """Ann wants its end."""
        await self.tell(run_id, RequestCancel(who="ann", **more))  # type: ignore[arg-type]

    async def claim(self, run_id: str) -> None:
        """A runner takes the run's attempt."""
        run = await self.run(run_id)
        await self.tell(run_id, ClaimAttempt(attempt=run.attempt, holder=holder()))

    async def finish(self, run_id: str, **more: object) -> None:
        """A runner takes the run's attempt, if none has, and it ends."""
        run = await self.run(run_id)
        if run.phase not in HELD:
            await self.claim(run_id)
        finished = attempt_finished(attempt=run.attempt, **more)
        await self.tell(run_id, FinishAttempt(holder=holder(), finished=finished))

    async def run(self, run_id: str) -> Run:
        """The run as the log has it."""
        return run_decider.fold((await self.log.load("run", run_id)).facts)

    async def facts(self, kind: type[Fact]) -> list[Recorded]:
        """Every fact of a kind, oldest first."""
        return [r async for r in self.log.read("fastflow.evt.>") if isinstance(r.fact, kind)]

    async def runs(self, pipeline: str | None = None) -> list[str]:
        """Ids of the runs asked for, oldest first."""
        asked = [(r.id, r.fact) for r in await self.facts(RunRequested)]
        return [id for id, fact in asked if isinstance(fact, RunRequested) and pipeline in (None, fact.pipeline)]

    async def open(self) -> list[str]:
        """Ids of the runs that are not over."""
        return [id for id in await self.runs() if (await self.run(id)).phase not in OVER]
