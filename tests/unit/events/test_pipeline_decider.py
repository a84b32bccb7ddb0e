"""A pipeline is found, changes, breaks and goes; each is said once."""

import pytest
from fastflow_events.aggregates.pipeline.commands import (
    ExpireBundle,
    FindInvalid,
    FindPipeline,
    LosePipeline,
    MissVersion,
    PausePipeline,
    PipelineCommand,
    ResumePipeline,
    StoreVersion,
)
from fastflow_events.aggregates.pipeline.decider import ForeignPipelineError, SeveralFolders, pipeline_decider
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
    PipelineVersionMissing,
    PipelineVersionStored,
)
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact
from fastflow_events.message import Verbatim
from hypothesis import given
from hypothesis import strategies as st

COMMIT, LATER = "a" * 40, "b" * 40
TREE, OTHER_TREE = "1" * 40, "2" * 40


def version(commit: str = COMMIT, tree: str = TREE, repository: str = "main", **definition: object) -> Fact:
    return PipelineVersionStored(
        repository=repository, commit=commit, tree=tree, definition=definition, bundle_sha256="f" * 64, bundle_bytes=9
    )


def find(fact: Fact) -> FindPipeline:
    assert isinstance(fact, PipelineVersionStored)
    return FindPipeline(version=fact)


def store(fact: Fact) -> StoreVersion:
    assert isinstance(fact, PipelineVersionStored)
    return StoreVersion(version=fact)


def discovered(commit: str = COMMIT, tree: str = TREE, **definition: object) -> Fact:
    return PipelineDiscovered(repository="main", commit=commit, tree=tree, definition=definition)


def invalid(commit: str = COMMIT, tree: str = TREE) -> PipelineInvalid:
    return PipelineInvalid(repository="main", commit=commit, tree=tree, errors=("no",))


def when(command: PipelineCommand, before: list[Fact]) -> list[Fact]:
    return pipeline_decider.decide(command, pipeline_decider.fold(before))


def test_a_new_folder_is_stored_and_then_discovered() -> None:
    assert when(find(version()), []) == [version(), discovered()]


def test_a_new_commit_with_the_same_folder_is_no_news() -> None:
    assert when(find(version(LATER)), [version(), discovered()]) == []


def test_another_tree_is_a_change() -> None:
    facts = when(find(version(LATER, OTHER_TREE)), [version(), discovered()])
    assert facts == [
        version(LATER, OTHER_TREE),
        PipelineChanged(repository="main", commit=LATER, tree=OTHER_TREE, definition={}),
    ]


def test_the_same_tree_read_by_newer_rules_is_a_change() -> None:
    facts = when(find(version(tags=["a"])), [version(), discovered()])
    assert [type(fact) for fact in facts] == [PipelineVersionStored, PipelineChanged]


def test_a_folder_whose_bundle_expired_is_stored_again() -> None:
    given = [version(), discovered(), PipelineBundleExpired(tree=TREE)]
    assert version() in when(find(version()), given)


def test_an_invalid_folder_is_said_once_and_a_repaired_one_is_changed() -> None:
    command = FindInvalid(repository="main", commit=COMMIT, tree=TREE, reasons=(Verbatim("no"),))
    assert when(command, []) == [invalid()]
    assert when(command, [invalid()]) == []
    assert [type(f) for f in when(find(version()), [invalid()])] == [PipelineVersionStored, PipelineChanged]


def test_a_folder_that_is_gone_is_removed_once_and_its_return_is_a_discovery() -> None:
    removed = PipelineRemoved(repository="main", commit=LATER)
    given = [version(), discovered(), removed]
    assert when(LosePipeline(repository="main", commit=LATER), given[:2]) == [removed]
    assert when(LosePipeline(repository="main", commit=LATER), given) == []
    assert when(find(version(LATER)), given)[1] == discovered(LATER)


def test_a_version_of_another_repository_is_refused() -> None:
    with pytest.raises(ForeignPipelineError):
        when(store(version(repository="other")), [version(), discovered()])


SEVERAL = SeveralFolders(('"main"', '"other"'))
BOTH = 'several repositories have a folder of this name: "main", "other"; rename all but one of them'
CLASHED = PipelineClashed(repository="other", commit=LATER, tree=OTHER_TREE)
TAKEN = PipelineInvalid(repository="main", commit=COMMIT, tree=TREE, errors=(BOTH,), errors_messages=(SEVERAL.message,))
CLASH = [version(), discovered(), CLASHED, TAKEN]
THEIRS = find(version(LATER, OTHER_TREE, "other"))


def test_a_name_in_two_repositories_is_invalid_and_says_both_places_once() -> None:
    assert when(THEIRS, CLASH[:2]) == [CLASHED, TAKEN]
    assert when(THEIRS, CLASH) == []
    broken = FindInvalid(repository="other", commit=LATER, tree=OTHER_TREE, reasons=(Verbatim("no"),))
    assert when(broken, CLASH[:2]) == [CLASHED, TAKEN]


def test_the_owner_of_a_taken_name_stays_invalid_whatever_it_says() -> None:
    assert when(find(version()), CLASH) == []
    changed = when(find(version(LATER, "3" * 40)), CLASH)
    assert changed == [
        PipelineInvalid(
            repository="main", commit=LATER, tree="3" * 40, errors=(BOTH,), errors_messages=(SEVERAL.message,)
        )
    ]


def test_whoever_stopped_between_two_facts_of_one_decision_says_the_rest() -> None:
    [found, rest] = when(find(version()), [])
    assert when(find(version()), [found]) == [rest]
    assert when(find(version()), [found, rest]) == []
    assert when(THEIRS, [*CLASH[:2], CLASHED]) == [TAKEN]
    removed = PipelineRemoved(repository="main", commit=LATER)
    ended, *others = when(THEIRS, [*CLASH, removed])
    assert when(THEIRS, [*CLASH, removed, ended]) == others


def test_a_taken_name_is_valid_again_when_the_other_folder_is_gone() -> None:
    gone = PipelineClashEnded(repository="other")
    assert when(LosePipeline(repository="other", commit=LATER), CLASH) == [gone]
    facts = when(find(version()), [*CLASH, gone])
    assert [type(fact) for fact in facts] == [PipelineVersionStored, PipelineChanged]


def test_a_taken_name_passes_to_the_other_repository_when_its_owner_gives_it_up() -> None:
    removed = PipelineRemoved(repository="main", commit=LATER)
    assert when(LosePipeline(repository="main", commit=LATER), CLASH) == [removed]
    ended, stored, found = when(THEIRS, [*CLASH, removed])
    assert ended == PipelineClashEnded(repository="other")
    assert isinstance(stored, PipelineVersionStored)
    assert isinstance(found, PipelineDiscovered)
    assert found.repository == "other"


def test_of_three_repositories_the_last_one_left_gets_the_name() -> None:
    third = find(version(LATER, OTHER_TREE, "third"))
    given = [*CLASH, *when(third, CLASH)]
    assert '"main", "other", "third"' in pipeline_decider.fold(given).errors[0]
    given += when(LosePipeline(repository="main", commit=LATER), given)
    given += when(THEIRS, given)
    assert pipeline_decider.fold(given).repository == "other"
    assert pipeline_decider.fold(given).phase == "invalid"
    given += when(LosePipeline(repository="third", commit=LATER), given)
    given += when(THEIRS, given)
    assert pipeline_decider.fold(given).phase == "runnable"


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["find", "lose"])), max_size=30))
def test_a_name_can_be_run_only_while_exactly_one_repository_has_it(steps: list[tuple[str, str]]) -> None:
    facts: list[Fact] = []
    having: set[str] = set()
    for repository, step in steps:
        having = having | {repository} if step == "find" else having - {repository}
        lose = LosePipeline(repository=repository, commit=LATER)
        facts += when(find(version(repository=repository)) if step == "find" else lose, facts)
        for other in sorted(having):  # every repository is read again after any of them changed
            facts += when(find(version(repository=other)), facts)
        state = pipeline_decider.fold(facts)
        assert (state.phase == "runnable") == (len(having) == 1)
        assert (state.phase == "absent") == (not having)
        assert not having or {state.repository, *state.rivals} == having


def test_a_version_is_stored_once_and_a_missing_one_is_said_each_time_somebody_asks() -> None:
    missing = PipelineVersionMissing(repository="main", commit=LATER, reason="no")
    miss = MissVersion(repository="main", commit=LATER, reason=Verbatim("no"))
    assert when(store(version(LATER)), [version(), discovered()]) == [version(LATER)]
    assert when(store(version()), [version(), discovered()]) == []
    assert when(miss, [version(), missing]) == [missing]
    assert when(miss, [version(LATER)]) == []


def test_pausing_and_resuming_are_said_once() -> None:
    given = [version(), discovered()]
    assert when(PausePipeline(who="ann"), given) == [PipelinePaused(who="ann")]
    assert when(PausePipeline(who="bob"), [*given, PipelinePaused(who="ann")]) == []
    assert when(ResumePipeline(who="bob"), [*given, PipelinePaused(who="ann")]) == [PipelineResumed(who="bob")]
    with pytest.raises(NotFoundError):
        when(PausePipeline(who="ann"), [])


def test_a_pipeline_that_was_paused_before_it_was_removed_can_be_resumed_once() -> None:
    gone = [version(), discovered(), PipelinePaused(who="ann"), PipelineRemoved(repository="main", commit=LATER)]
    assert when(ResumePipeline(who="bob"), gone) == [PipelineResumed(who="bob")]
    for command in (ResumePipeline(who="bob"), PausePipeline(who="bob")):
        with pytest.raises(NotFoundError):
            when(command, [*gone, PipelineResumed(who="bob")])


def test_only_a_stored_bundle_expires() -> None:
    assert when(ExpireBundle(tree=TREE), [version()]) == [PipelineBundleExpired(tree=TREE)]
    assert when(ExpireBundle(tree=OTHER_TREE), [version()]) == []
