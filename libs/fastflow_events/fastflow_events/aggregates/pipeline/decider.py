"""The rules of a pipeline.

```
absent ──► runnable ◄──► invalid        found at the head, with or without reasons against running it
   ▲           │            │
   └───────────┴────────────┘           gone from the head; its versions stay
```

A name belongs to one repository. While another one has a folder of the same name, it is invalid, whatever either
says: which of two scripts runs is never a question of who was read first.
"""

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events.absent import NoSuchPipeline
from fastflow_events.aggregates.pipeline.commands import (
    ExpireBundle,
    FindInvalid,
    FindPipeline,
    LosePipeline,
    MissVersion,
    PausePipeline,
    PipelineCommand,
    ResetStats,
    ResumePipeline,
    StoreVersion,
)
from fastflow_events.aggregates.pipeline.events import (
    PipelineBundleExpired,
    PipelineChanged,
    PipelineClashed,
    PipelineClashEnded,
    PipelineDiscovered,
    PipelineInvalid,
    PipelinePaused,
    PipelineRemoved,
    PipelineResumed,
    PipelineStatsReset,
    PipelineVersionMissing,
    PipelineVersionStored,
)
from fastflow_events.decider import Decider
from fastflow_events.errors import DomainError, NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.message import Message, Statement, all_beside, all_retold, beside

Phase: TypeAlias = Literal["absent", "runnable", "invalid"]


class Pipeline(Struct, frozen=True, kw_only=True):
    """What the rules need to know of a pipeline."""

    phase: Phase = "absent"
    repository: str = ""
    commit: str = ""
    tree: str = ""
    definition: dict[str, object] = {}
    errors: tuple[str, ...] = ()
    errors_messages: tuple[Message, ...] = ()
    paused: bool = False
    rivals: tuple[str, ...] = ()
    """Other repositories that have a folder of this name, sorted."""
    versions: dict[str, str] = {}
    """Commit to tree, for every commit whose bundle is stored; a caller may hold back those it does not ask about."""


class SeveralFolders(Statement, frozen=True, tag="pipeline.several_folders"):
    """Nobody knows which one is meant."""

    english = "several repositories have a folder of this name: {names}; rename all but one of them"
    names: tuple[str, ...]


class ForeignPipelineError(DomainError):
    """Another repository has a pipeline of this name."""

    code = "foreign-pipeline"


def decide(command: PipelineCommand, pipeline: Pipeline) -> list[Fact]:
    """Return the facts that follow from `command`; an empty list means "already so".

    Whoever stopped after the first of several facts and decides anew gets the rest.

    Raises:
        ForeignPipelineError: a version of a pipeline that belongs to another repository.
        NotFoundError: there is no such pipeline to pause or resume, or to count anew.
    """
    match command:
        case FindPipeline(version=version):
            place = FindInvalid(repository=version.repository, commit=version.commit, tree=version.tree, reasons=())
            return _in_one_place(place, pipeline, lambda ours: _found(version, ours))
        case FindInvalid():
            return _in_one_place(command, pipeline, lambda ours: _found_invalid(command, ours))
        case LosePipeline(repository=repository, commit=commit):
            if repository in pipeline.rivals:
                return [PipelineClashEnded(repository=repository)]
            ours = pipeline.phase != "absent" and pipeline.repository == repository
            return [PipelineRemoved(repository=repository, commit=commit)] if ours else []
        case StoreVersion(version=version):
            _refuse_foreign(version.repository, pipeline)
            return [] if pipeline.versions.get(version.commit) == version.tree else [version]
        case MissVersion(repository=repository, commit=commit, reason=reason):
            if commit in pipeline.versions:
                return []
            return [_missing(repository, commit, reason)]
        case ExpireBundle(tree=tree):
            return [PipelineBundleExpired(tree=tree)] if tree in pipeline.versions.values() else []
        case PausePipeline() | ResumePipeline():
            return _paused(command, pipeline)
        case ResetStats(who=who, why=why):
            if pipeline.phase == "absent":
                raise NotFoundError(NoSuchPipeline())
            return [PipelineStatsReset(who=who, why=why)]


def evolve(pipeline: Pipeline, fact: Fact) -> Pipeline:
    """Apply one recorded fact. Never refuses: what happened, happened."""
    match fact:
        case PipelineDiscovered() | PipelineChanged():
            return replace(
                pipeline,
                phase="runnable",
                repository=fact.repository,
                commit=fact.commit,
                tree=fact.tree,
                definition=fact.definition,
                errors=(),
                errors_messages=(),
            )
        case PipelineInvalid():
            return replace(
                pipeline,
                phase="invalid",
                repository=fact.repository,
                commit=fact.commit,
                tree=fact.tree,
                definition={},
                errors=fact.errors,
                errors_messages=fact.errors_messages,
            )
        case PipelineRemoved():
            return replace(pipeline, phase="absent", tree="", definition={}, errors=(), errors_messages=())
        case PipelinePaused() | PipelineResumed():
            return replace(pipeline, paused=isinstance(fact, PipelinePaused))
        case PipelineClashed(repository=rival):
            return replace(pipeline, rivals=tuple(sorted({*pipeline.rivals, rival})))
        case PipelineClashEnded(repository=rival):
            return replace(pipeline, rivals=tuple(name for name in pipeline.rivals if name != rival))
        case PipelineVersionStored():
            return replace(pipeline, versions={**pipeline.versions, fact.commit: fact.tree})
        case PipelineBundleExpired(tree=expired):
            kept = {commit: tree for commit, tree in pipeline.versions.items() if tree != expired}
            return replace(pipeline, versions=kept)
        case _:
            return pipeline


def _refuse_foreign(repository: str, pipeline: Pipeline) -> None:
    if pipeline.phase != "absent" and pipeline.repository != repository:
        raise ForeignPipelineError(f"the repository {pipeline.repository} already has a pipeline of this name")


def _in_one_place(found: FindInvalid, pipeline: Pipeline, say: Callable[[Pipeline], list[Fact]]) -> list[Fact]:
    """What to say of a folder, given who else has one of this name."""
    here = found.repository
    if pipeline.phase != "absent" and pipeline.repository != here:
        clashed: list[Fact] = [PipelineClashed(repository=here, commit=found.commit, tree=found.tree)]
        taken = _taken(pipeline.repository, pipeline.commit, pipeline.tree, (*pipeline.rivals, here))
        return [*(clashed if here not in pipeline.rivals else []), *([] if _says(pipeline, taken) else [taken])]
    ended: list[Fact] = [PipelineClashEnded(repository=here)] if here in pipeline.rivals else []
    ours = replace(pipeline, rivals=tuple(name for name in pipeline.rivals if name != here))
    if not ours.rivals:
        return [*ended, *say(ours)]
    taken = _taken(here, found.commit, found.tree, ours.rivals)
    return ended if _says(ours, taken) else [*ended, taken]


def _taken(repository: str, commit: str, tree: str, rivals: tuple[str, ...]) -> PipelineInvalid:
    names = tuple(f'"{name}"' for name in sorted({repository, *rivals}))
    return _invalid(repository, commit, tree, (SeveralFolders(names),))


def _invalid(repository: str, commit: str, tree: str, reasons: tuple[Statement, ...]) -> PipelineInvalid:
    return PipelineInvalid(
        repository=repository,
        commit=commit,
        tree=tree,
        errors=tuple(map(str, reasons)),
        errors_messages=all_beside(reasons),
    )


def _missing(repository: str, commit: str, reason: Statement) -> PipelineVersionMissing:
    return PipelineVersionMissing(
        repository=repository, commit=commit, reason=str(reason), reason_message=beside(reason)
    )


def codes_of(errors: tuple[str, ...], messages: tuple[Message, ...]) -> tuple[Message, ...]:
    """What errors say, however they are worded."""
    return tuple(error.message for error in all_retold(errors, messages))


def _says(pipeline: Pipeline, invalid: PipelineInvalid) -> bool:
    """True when the pipeline is invalid already, for the same reasons."""
    same = codes_of(pipeline.errors, pipeline.errors_messages) == codes_of(invalid.errors, invalid.errors_messages)
    return (pipeline.phase, pipeline.tree) == ("invalid", invalid.tree) and same


def _found(version: PipelineVersionStored, pipeline: Pipeline) -> list[Fact]:
    same = pipeline.phase == "runnable" and pipeline.tree == version.tree
    if same and pipeline.definition == version.definition and version.tree in pipeline.versions.values():
        return []
    kind = PipelineDiscovered if pipeline.phase == "absent" else PipelineChanged
    found = kind(
        repository=version.repository,
        commit=version.commit,
        tree=version.tree,
        definition=version.definition,
        requirements_sha256=version.requirements.sha256,
    )
    is_known = pipeline.versions.get(version.commit) == version.tree and pipeline.tree != version.tree
    return [found] if is_known else [version, found]


def _found_invalid(command: FindInvalid, pipeline: Pipeline) -> list[Fact]:
    invalid = _invalid(command.repository, command.commit, command.tree, command.reasons)
    return [] if _says(pipeline, invalid) else [invalid]


def _paused(command: PausePipeline | ResumePipeline, pipeline: Pipeline) -> list[Fact]:
    wanted = isinstance(command, PausePipeline)
    if pipeline.phase == "absent" and (wanted or not pipeline.paused):  # runs of one that is gone may still wait
        raise NotFoundError(NoSuchPipeline())
    if pipeline.paused == wanted:
        return []
    match command:
        case PausePipeline(who=who, why=why):
            return [PipelinePaused(who=who, why=why)]
        case ResumePipeline(who=who):
            return [PipelineResumed(who=who)]


pipeline_decider: Decider[PipelineCommand, Pipeline] = Decider(
    aggregate="pipeline", initial=Pipeline(), decide=decide, evolve=evolve
)
