"""What the end of a run makes necessary: chains, fan-ins, restarts, the next run of a backfill.

Each is a pending run that stays until the log holds that run, so a full system, a crash or a lost answer can
delay it, never lose it.
"""

from datetime import datetime

from fastflow_events.aggregates.chain.events import ChainRemoved, ChainSet
from fastflow_events.aggregates.run.events import RunFinished, RunRequested, Trigger
from fastflow_events.ids import chain_id, run_id_of_chain, run_id_of_fan_in, run_id_of_fire, run_id_of_restart
from fastflow_events.instants import later
from fastflow_events.recorded import Recorded
from fastflow_rules.chains import (
    Edge,
    Ended,
    edge_of_api,
    edges_of_file,
    followers,
    handed_over,
    handed_over_by_all,
    of_one_flow,
)
from fastflow_rules.definition import Definition
from fastflow_rules.schedules.planned import RESTART

from fastflow_scheduler.core.fanin import Success, arrived
from fastflow_scheduler.core.state.dirty_table import DirtyTable
from fastflow_scheduler.core.state.fanins import FanIns
from fastflow_scheduler.core.state.pending_runs import PendingRuns
from fastflow_scheduler.core.state.pipelines import Pipelines
from fastflow_scheduler.core.state.records import OpenRun, PendingRun


class Followups:
    """Chains between pipelines, and what they lead to."""

    def __init__(self, pipelines: Pipelines, pending_runs: PendingRuns) -> None:
        self.chains = DirtyTable("chain", Edge)
        self.fanins = FanIns()
        self._pipelines = pipelines
        self._wishes = pending_runs
        self._api: dict[str, dict[str, Edge]] = {}
        self._fanins_of: dict[str, set[str]] = {}
        self._upstreams: dict[str, set[str]] | None = None
        self._doubted: set[str] = set()

    def doubt(self, id: str) -> None:
        """Nobody knows what is said about this chain, so nothing follows it."""
        self._doubted.add(id)
        self.rebuild()

    def fold(self, recorded: Recorded) -> None:
        """Fold one fact about a chain."""
        fact = recorded.fact
        if isinstance(fact, ChainSet):
            self.chains.put(recorded.id, edge_of_api(fact))
        elif isinstance(fact, ChainRemoved):
            self.chains.drop(recorded.id)
        self.rebuild()

    def pipeline_changed(self, name: str, before: Definition | None, after: Definition | None) -> None:
        """Learn what a pipeline's file says about chains."""
        edges = [(d.downstream, d.upstream) if d else None for d in (before, after)]
        if edges[0] != edges[1]:
            self.rebuild()
            if after is None or after.upstream is None:
                self.fanins.drop(name)

    def rebuild(self) -> None:
        """Compute the edges anew from what is said."""
        self._api = {}
        for id, edge in self.chains.items():
            if id in self._doubted:
                continue
            self._api.setdefault(edge.upstream, {})[id] = edge
        self._fanins_of = {}
        for name in self._pipelines.table:
            definition = self._pipelines.definition(name)
            for member in definition.upstream.all if definition and definition.upstream else ():
                self._fanins_of.setdefault(member, set()).add(name)
        self._upstreams = None

    def edges_after(self, pipeline: str) -> list[Edge]:
        """What may follow a pipeline: its file's edges first, then those that were set."""
        return [*edges_of_file(pipeline, self._pipelines.definition(pipeline)), *self._api.get(pipeline, {}).values()]

    def finished(self, id: str, ended: OpenRun, recorded: Recorded, fact: RunFinished) -> None:
        """A run is over: keep in mind everything that follows."""
        if ended.run.cancelled is not None:
            self._replace(ended, recorded.told_at)
            return
        if fact.outcome == "cancelled":
            return
        route = ended.route if fact.outcome == "succeeded" else None
        end = Ended(run_id=id, params=ended.request.params, result=ended.result, route=route)
        depth = ended.request.trigger.depth + 1
        for edge in followers(self.edges_after(ended.request.pipeline), fact.outcome, route):
            request = RunRequested(
                pipeline=edge.downstream,
                trigger=Trigger(kind="chain", who=ended.request.pipeline, upstream_run=id, depth=depth),
                run_config_id=edge.run_config_id,
                params=handed_over(edge.params, end),
            )
            self._wishes.add(run_id_of_chain(id, edge.downstream, edge.run_config_id), request, recorded.because())
        if fact.outcome == "succeeded":
            self._join(id, ended, recorded)
        else:
            self._restart(id, ended, recorded.told_at)

    def _join(self, id: str, ended: OpenRun, recorded: Recorded) -> None:
        pipeline, request = ended.request.pipeline, ended.request
        success = Success(
            run_id=id,
            flow=recorded.cause.correlation_id,
            depth=request.trigger.depth,
            params=request.params,
            result=ended.result,
        )
        for name in sorted(self._fanins_of.get(pipeline, ())):
            definition = self._pipelines.definition(name)
            assert definition is not None
            assert definition.upstream is not None
            members = definition.upstream.all
            together = of_one_flow(members, self._graph())
            waiting, chosen = arrived(self.fanins.get(name), members, pipeline, success, one_flow=together)
            self.fanins.put(name, waiting, place=recorded.seq)
            if chosen is None:
                continue
            upstream = definition.upstream
            runs = tuple(sorted(partner.run_id for partner in chosen.values()))
            trigger = Trigger(
                kind="chain",
                who=pipeline,
                upstream_run=id,
                upstream_runs=runs,
                depth=max(partner.depth for partner in chosen.values()) + 1,
            )
            params = handed_over_by_all(upstream.params, {member: partner.ended for member, partner in chosen.items()})
            wanted = RunRequested(pipeline=name, trigger=trigger, run_config_id=upstream.run_config_id, params=params)
            self._wishes.add(run_id_of_fan_in(name, upstream.run_config_id, runs), wanted, recorded.because())

    def _graph(self) -> dict[str, set[str]]:
        """Every pipeline to those it follows."""
        if self._upstreams is None:
            graph: dict[str, set[str]] = {}
            for name in self._pipelines.table:
                for edge in self.edges_after(name):
                    graph.setdefault(edge.downstream, set()).add(name)
            for member, names in self._fanins_of.items():
                for name in names:
                    graph.setdefault(name, set()).add(member)
            self._upstreams = graph
        return self._upstreams

    def _restart(self, id: str, ended: OpenRun, at: datetime) -> None:
        """A daemon's run failed for good: start it again after its cooldown."""
        definition = self._pipelines.definition(ended.request.pipeline)
        if definition is None or not definition.restart_on_crash or not definition.enabled:
            return
        request = RunRequested(
            pipeline=ended.request.pipeline,
            trigger=Trigger(kind="daemon_restart", who="restart_on_crash", upstream_run=id),
            run_config_id=ended.request.run_config_id,
            env=ended.request.env,
            params=ended.request.params,
        )
        due = later(at, definition.restart_cooldown_s)
        self._wishes.add(run_id_of_restart(id), request, ended.cause, due=due, daemon=True)

    def _replace(self, ended: OpenRun, at: datetime) -> None:
        """A schedule had this run ended in order to start a new one; several that it ended are replaced by one."""
        if ended.run.cancelled != "restart" or ended.replaced_by is None:
            return
        schedule, nominal = ended.replaced_by
        pipeline = ended.request.pipeline
        definition = self._pipelines.definition(pipeline)
        due = later(at, definition.restart_cooldown_s if definition else 0.0)
        request = RunRequested(
            pipeline=pipeline,
            trigger=Trigger(
                kind="daemon_restart",
                who="restart_interval",
                upstream_run=ended.position.id,
                schedule=schedule,
                nominal=nominal,
            ),
            run_config_id=ended.request.run_config_id,
            env=ended.request.env,
            params=ended.request.params,
        )
        id = run_id_of_fire(pipeline, RESTART, nominal)
        earlier = self._wishes.table.get(id)
        self._wishes.add(id, earlier.request if earlier else request, ended.cause, due=due, daemon=True)


def id_of(edge: Edge) -> str:
    """The id under which the edge can be set and removed."""
    return chain_id(edge.upstream, edge.downstream, edge.run_config_id)


def is_moot(pending: PendingRun, definition: Definition | None) -> bool:
    """Whether nobody wants the daemon restarted any more."""
    if not pending.daemon:
        return False
    if definition is None or not definition.enabled:
        return True
    scheduled = pending.request.trigger.schedule is not None
    return not (definition.restart_interval if scheduled else definition.restart_on_crash)
