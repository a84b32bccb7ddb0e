"""What the scheduler knows. A pure fold, kept in memory; it may be ahead of its file, never of the log.

```
facts ─► pipelines ─► runs: lanes, places ─┐
     └─► schedules ──────────────────────┬─┤
     └─► followups, backfills ─► pending ─┴─┴─► agenda
```
"""

from datetime import datetime
from typing import Any

from fastflow_events.aggregates.pipeline.events import PipelinePaused, PipelineVersionMissing, PipelineVersionStored
from fastflow_events.aggregates.queue.events import QueueLeased
from fastflow_events.aggregates.run.events import RunCancelRequested, RunFinished, RunRequested
from fastflow_events.aggregates.run.state import OVER
from fastflow_events.aggregates.setting.events import SettingsPaused, SettingsResumed
from fastflow_events.message import retold
from fastflow_events.recorded import Recorded
from fastflow_rules.queue.admission import Pipeline, Version

from fastflow_scheduler.core.agenda import Agenda
from fastflow_scheduler.core.state.backfills import Backfills
from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.followups import Followups, is_moot
from fastflow_scheduler.core.state.limits import Limits
from fastflow_scheduler.core.state.pending_runs import PendingRuns
from fastflow_scheduler.core.state.pipelines import Pipelines, version_of
from fastflow_scheduler.core.state.records import Standing
from fastflow_scheduler.core.state.repositories import Repositories
from fastflow_scheduler.core.state.runs import Runs
from fastflow_scheduler.core.state.schedules import EVERYTHING, Schedules
from fastflow_scheduler.core.state.secrets import Secrets

STANDING = "main"


class SchedulerState:
    """The whole of it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.doubted: set[tuple[str, str]] = set()
        """Kind and id of what is not to be trusted: nothing is decided about it."""
        self._empty()

    def _empty(self) -> None:
        limits = self.limits
        self.seq = 0
        self.agenda = Agenda()
        self.standing = DirtyTable("standing", Standing)
        self.pipelines = Pipelines()
        self.runs = Runs(limits, self.pipelines, self.agenda)
        self.schedules = Schedules(self.pipelines)
        self.pending_runs = PendingRuns(self.agenda)
        self.followups = Followups(self.pipelines, self.pending_runs)
        self.backfills = Backfills(self.pending_runs)
        self.repositories = Repositories(limits, self.agenda)
        self.secrets = Secrets()

    @property
    def term(self) -> int:
        """The newest leadership term."""
        return (self.standing.get(STANDING) or Standing()).term

    def tables(self) -> list[DirtyTable[Any]]:
        """Everything that has to be written down."""
        return [
            self.standing,
            self.pipelines.table,
            self.runs.table,
            self.schedules.plans,
            self.schedules.pauses,
            self.pending_runs.table,
            self.followups.chains,
            self.followups.fanins.table,
            self.backfills.table,
            self.backfills.progress,
            self.backfills.open,
            self.repositories.table,
            self.secrets.table,
        ]

    def apply(self, recorded: Recorded, version: Version | None = None) -> None:
        """Fold one fact; `version` is the stored one that a new run asks for."""
        self.seq = recorded.seq
        match recorded.aggregate:
            case "run":
                self._run(recorded, version)
            case "pipeline":
                self._pipeline(recorded)
            case "schedule":
                self.schedules.fold(recorded)
            case "chain":
                self.followups.fold(recorded)
            case "backfill":
                self.backfills.fold(recorded)
            case "repository":
                self.repositories.fold(recorded)
            case "secret":
                self.secrets.fold(recorded)
            case "queue" | "settings":
                self._standing(recorded)
            case _:
                pass

    def doubt(self, aggregate: str, id: str) -> None:
        """A fact about it is not in the state, so nothing may follow from what the state says of it."""
        self.doubted.add((aggregate, id))
        match aggregate:
            case "run":
                self.runs.doubt(id)
                self.pending_runs.hold(id)
                self.backfills.to_cancel.pop(id, None)
            case "pipeline":
                self.runs.capacity.doubt(id)
                self.schedules.doubt_pipeline(id)
                self.pending_runs.hold_pipeline(id)
            case "schedule":
                self.schedules.doubt(id)
            case "chain":
                self.followups.doubt(id)
            case "backfill":
                self.pending_runs.hold_backfill(id)
            case "repository":
                self.repositories.doubt(id)
            case _:
                pass

    def reset(self) -> None:
        """Forget everything but what is doubted, who is alive and how full the log is, which no fact tells."""
        alive, reason = self.runs.capacity.pools.runners, self.runs.capacity.hold_reason
        self._empty()
        self.runs.capacity.set_runners(alive)
        self.runs.capacity.hold_reason = reason

    def rebuild(self) -> None:
        """Compute everything that is not written down from what is."""
        for name, pipeline in self.pipelines.table.items():
            self._limit(name, pipeline)
        everything = self.schedules.pauses.get(EVERYTHING)
        self.runs.capacity.paused = bool(everything and everything.now)
        self.followups.rebuild()
        self.followups.fanins.rebuild()
        self.schedules.rebuild()
        self.pending_runs.rebuild()
        self.backfills.rebuild()
        self.repositories.rebuild()
        self.runs.resort_all()
        for aggregate, id in self.doubted:
            self.doubt(aggregate, id)

    def _clock(self, at: datetime) -> datetime:
        """The log's own clock, which never goes back."""
        known = self.standing.get(STANDING) or Standing()
        clock = at if known.clock is None else max(known.clock, at)
        if clock != known.clock:
            self.standing.put(STANDING, Standing(term=known.term, clock=clock))
        return clock

    def _run(self, recorded: Recorded, version: Version | None) -> None:
        fact = recorded.fact
        if isinstance(fact, RunRequested):
            self.pending_runs.drop(recorded.id)
            self.schedules.requested(fact)
            self.backfills.requested(recorded.id, fact)
            self.pipelines.use(fact, version)
        elif isinstance(fact, RunCancelRequested):
            self.schedules.replaced(fact)
        now = self.runs.fold(recorded, self._clock(recorded.told_at))
        if isinstance(fact, RunCancelRequested) and now is not None and now.replaced_by:
            self.runs.replace_all(now.request.pipeline, *now.replaced_by)
        if now is None or now.run.phase not in OVER:
            return
        if isinstance(fact, RunFinished):
            self.followups.finished(recorded.id, now, recorded, fact)
        self.backfills.over(recorded.id, now.request)
        self.pipelines.release(now.request)

    def _pipeline(self, recorded: Recorded) -> None:
        name, fact = recorded.id, recorded.fact
        if isinstance(fact, PipelineVersionStored):
            self.pipelines.arrived(name, version_of(fact))
            self.runs.code_arrived(name, fact.commit)
            return
        if isinstance(fact, PipelineVersionMissing):
            self.runs.code_arrived(name, fact.commit, missing=retold(fact.reason, fact.reason_message))
            return
        before = self.pipelines.get(name)
        definition = self.pipelines.definition(name)
        now = self.pipelines.fold(recorded)
        if now is None:
            return
        self._limit(name, now)
        if now.paused != (before.paused if before else False):
            self.schedules.pause_pipeline(name, recorded.told_at, paused=isinstance(fact, PipelinePaused))
        if now.removed:
            self.schedules.pipeline_removed(name)
        elif before is not None and before.removed:
            self.schedules.pipeline_returned(name, recorded.told_at)
        if now.definition is not None and now.definition is not (before.definition if before else None):
            self.schedules.file_changed(name, now.definition, recorded.told_at)
        self.followups.pipeline_changed(name, definition, self.pipelines.definition(name))
        for run_id, pending in self.pending_runs.of_pipeline(name):
            if is_moot(pending, self.pipelines.definition(name)):
                self.pending_runs.drop(run_id)
        for run_id in list(self.runs.of_pipeline.get(name, ())):
            self.runs.sort(run_id)

    def _limit(self, name: str, pipeline: Pipeline) -> None:
        definition = pipeline.definition or pipeline.last
        self.runs.capacity.set_pipeline(
            name,
            paused=pipeline.paused,
            max_instances=definition.max_instances if definition else None,
            group=definition.concurrency_group if definition else None,
            group_limit=definition.concurrency_limit if definition else None,
        )
        self.runs.run_queue.set_on_limit(name, waits=definition is None or definition.on_limit == "queue")

    def _standing(self, recorded: Recorded) -> None:
        known = self.standing.get(STANDING) or Standing()
        match recorded.fact:
            case QueueLeased(term=term):
                self.standing.put(STANDING, Standing(term=max(term, known.term), clock=known.clock))
            case SettingsPaused() | SettingsResumed():
                paused = isinstance(recorded.fact, SettingsPaused)
                self.runs.capacity.paused = paused
                self.schedules.pause_everything(recorded.told_at, paused=paused)
            case _:
                pass
