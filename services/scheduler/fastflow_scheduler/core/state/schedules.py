"""The schedules, how far each is settled, and when it was paused."""

from datetime import datetime

from fastflow_events.aggregates.run.events import RunCancelRequested, RunRequested
from fastflow_events.aggregates.schedule.events import (
    ScheduleFireMissed,
    ScheduleFireSkipped,
    SchedulePaused,
    ScheduleRemoved,
    ScheduleResumed,
    ScheduleSet,
)
from fastflow_events.recorded import Recorded
from fastflow_rules.definition import Definition
from fastflow_rules.schedules.planned import PlannedSchedule, plan_of_api, plans_of_file
from fastflow_rules.schedules.times import fault_of
from msgspec.structs import replace

from fastflow_scheduler.core.catchup import Span, Terms
from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.pipelines import Pipelines
from fastflow_scheduler.core.state.records import Pauses

EVERYTHING = "*"
KEPT_SPANS = 50
"""Pauses that are remembered; more of them lie between two fires of hardly any schedule."""


class Schedules:
    """Every schedule there is."""

    def __init__(self, pipelines: Pipelines) -> None:
        self.plans = DirtyTable("plan", PlannedSchedule)
        self.pauses = DirtyTable("pauses", Pauses)
        self.touched: set[str] = set()
        """Ids whose next fire has to be computed anew."""
        self._of_pipeline: dict[str, set[str]] = {}
        self._pipelines = pipelines
        self._doubted: set[str] = set()

    def fold(self, recorded: Recorded) -> None:
        """Fold one fact about a schedule."""
        fact, id = recorded.fact, recorded.id
        known = self.plans.get(id)
        match fact:
            case ScheduleSet():
                if (known is None or known.source == "api") and fault_of(fact) is None:
                    definition = self._pipelines.definition(fact.pipeline)
                    priority = (definition.priority if definition else None) or 0
                    self._put(plan_of_api(fact, at=recorded.told_at, before=known, priority=priority), id)
            case ScheduleRemoved():
                if known is not None and known.source == "api":
                    self._drop(id)
                self.pauses.drop(_key(id))
            case SchedulePaused() | ScheduleResumed():
                self._pause(_key(id), recorded.told_at, paused=isinstance(fact, SchedulePaused))
                self.touched.add(id)
            case ScheduleFireSkipped() | ScheduleFireMissed():
                self._settle(id, fact.last)
            case _:
                pass

    def file_changed(self, name: str, definition: Definition, at: datetime) -> None:
        """Learn what a pipeline's file says about its schedules."""
        ids = self._of_pipeline.get(name, set())
        plans = [plan for id in ids if (plan := self.plans.get(id)) is not None]
        before = {plan.name: plan for plan in plans if plan.source == "file"}
        found = plans_of_file(name, definition, at=at, before=before)
        for gone in before.keys() - found.keys():
            self._drop(before[gone].id)
        for plan in found.values():
            if plan != before.get(plan.name):
                self._put(plan, plan.id)

    def pipeline_removed(self, name: str) -> None:
        """The pipeline is gone: its file's schedules with it, the others rest."""
        for id in list(self._of_pipeline.get(name, ())):
            plan = self.plans.get(id)
            if plan is not None and plan.source == "file":
                self._drop(id)
        self.touch(name)

    def pipeline_returned(self, name: str, at: datetime) -> None:
        """It is there again; what was meant while it was gone is nobody's loss."""
        for id in self._of_pipeline.get(name, ()):
            self._settle(id, at)

    def requested(self, request: RunRequested) -> None:
        """A run was asked for; when a schedule did, it is settled up to the instant it meant."""
        trigger = request.trigger
        if trigger.schedule and trigger.nominal and trigger.kind in ("schedule", "daemon_restart"):
            self._settle(trigger.schedule, trigger.nominal)

    def replaced(self, cancel: RunCancelRequested) -> None:
        """A schedule asked for the end of a run, to replace it."""
        if cancel.schedule and cancel.nominal:
            self._settle(cancel.schedule, cancel.nominal)

    def pause_pipeline(self, name: str, at: datetime, *, paused: bool) -> None:
        """All schedules of a pipeline are paused with it."""
        self._pause(f"p {name}", at, paused=paused)
        self.touch(name)

    def pause_everything(self, at: datetime, *, paused: bool) -> None:
        """And all schedules with everything."""
        self._pause(EVERYTHING, at, paused=paused)
        self.touched.update(self.plans)

    def touch(self, pipeline: str) -> None:
        """Compute the next fires of a pipeline's schedules anew."""
        self.touched |= self._of_pipeline.get(pipeline, set())

    def doubt(self, id: str) -> None:
        """Nobody knows what is said about it, so it does not fire."""
        self._doubted.add(id)
        self.touched.add(id)

    def doubt_pipeline(self, name: str) -> None:
        """The same for every schedule of a pipeline."""
        self._doubted.add(f"p {name}")
        self.touch(name)

    def rests(self, plan: PlannedSchedule) -> bool:
        """Whether nothing is expected of it, and nothing missed."""
        pipeline = self._pipelines.get(plan.pipeline)
        doubted = plan.id in self._doubted or f"p {plan.pipeline}" in self._doubted
        return doubted or not plan.enabled or pipeline is None or pipeline.removed or self._disabled(plan.pipeline)

    def pauses_of(self, plan: PlannedSchedule) -> list[Span]:
        """Every pause that held the schedule back."""
        keys = (EVERYTHING, f"p {plan.pipeline}", _key(plan.id))
        return [span for key in keys if (pauses := self.pauses.get(key)) for span in pauses.spans]

    def rebuild(self) -> None:
        """Compute from the schedules alone what else is known of them."""
        self._of_pipeline = {}
        for id, plan in self.plans.items():
            self._of_pipeline.setdefault(plan.pipeline, set()).add(id)
        self.touched = set(self.plans)

    def _disabled(self, pipeline: str) -> bool:
        definition = self._pipelines.definition(pipeline)
        return definition is not None and not definition.enabled

    def _settle(self, id: str, upto: datetime) -> None:
        plan = self.plans.get(id)
        if plan is not None and upto > plan.since:
            self.plans.put(id, replace(plan, since=upto))
        self.touched.add(id)

    def _put(self, plan: PlannedSchedule, id: str) -> None:
        self.plans.put(id, plan)
        self._of_pipeline.setdefault(plan.pipeline, set()).add(id)
        self.touched.add(id)

    def _drop(self, id: str) -> None:
        plan = self.plans.drop(id)
        if plan is not None:
            self._of_pipeline.get(plan.pipeline, set()).discard(id)
        self.touched.add(id)

    def _pause(self, key: str, at: datetime, *, paused: bool) -> None:
        spans = (self.pauses.get(key) or Pauses(spans=())).spans
        is_paused = bool(spans) and spans[-1].end is None
        if paused and not is_paused:
            spans = (*spans, Span(at, None))
        elif is_paused and not paused:
            spans = (*spans[:-1], Span(spans[-1].start, at))
        self.pauses.put(key, Pauses(spans=spans[-KEPT_SPANS:]))


def _key(id: str) -> str:
    return f"s {id}"


def terms_of(plan: PlannedSchedule, late_after_s: float) -> Terms:
    """How the schedule fires."""
    return Terms(
        key=plan.id,
        timetable=plan.timetable,
        catchup=plan.catchup,
        jitter_s=plan.jitter_s,
        late_after_s=late_after_s,
    )
