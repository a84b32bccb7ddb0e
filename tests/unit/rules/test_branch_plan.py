"""What a branch would change is said before it is merged."""

from datetime import UTC, datetime, timedelta

from fastflow_rules.branch_diff.branch import BranchAnswer, FolderAt
from fastflow_rules.branch_diff.changes import ChainChange, MemberChange, MissingSecret, NewEnvironment, Plan
from fastflow_rules.branch_diff.plan import MAX_SHOWN, Around, Needed, Present, plan
from fastflow_rules.chains import Edge
from fastflow_rules.definition import Definition, Downstream, Schedule, Upstream, to_fact

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TREE = "b" * 40


def at(name: str, definition: Definition | None = None, sha256: str = "", *errors: str) -> FolderAt:
    found = None if errors else to_fact(definition or Definition())
    source = "requirements" if sha256 else "none"
    return FolderAt(
        name=name, tree=TREE, definition=found, errors=errors, requirements_sha256=sha256, requirements_source=source
    )


def present(name: str, definition: Definition | None = None, repository: str = "main") -> Present:
    return Present(name=name, repository=repository, definition=definition or Definition())


def planned(
    *folders: FolderAt,
    there: list[Present],
    gone: tuple[str, ...] = (),
    secrets: tuple[str, ...] = (),
    chains: tuple[Edge, ...] = (),
    environments: dict[Needed, str | None] | None = None,
) -> Plan:
    answer = BranchAnswer(repository="main", ref="next", commit="a" * 40, base=None, folders=folders, gone=gone)
    return plan(answer, Around(present=there, chains=chains, secrets=secrets, environments=environments or {}), now=NOW)


def test_each_pipeline_is_added_changed_removed_broken_or_repaired() -> None:
    there = [
        present("changed", Definition(timeout_s=60)),
        present("gone"),
        Present(name="sick", repository="main"),
        present("well"),
    ]
    found = planned(
        at("changed", Definition(timeout_s=90)),
        at("new"),
        at("sick"),
        at("well", None, "", "pipeline.json: no"),
        there=there,
        gone=("gone",),
    )
    assert [(c.pipeline, c.change) for c in found.pipelines] == [
        ("changed", "changed"),
        ("gone", "removed"),
        ("new", "added"),
        ("sick", "repaired"),
        ("well", "broken"),
    ]
    assert found.pipelines[0].members == [MemberChange(member="timeout_s", before=60.0, after=90.0)]
    assert found.problems == ["well cannot run: pipeline.json: no"]


def test_schedules_are_shown_with_their_next_seven_days_before_and_after() -> None:
    daily = Definition(cron="0 3 * * *", timezone="Europe/Berlin")
    found = planned(at("p", Definition(cron="0 4 * * *")), there=[present("p", daily)])
    [change] = found.schedules
    assert change.before is not None
    assert change.after is not None
    assert change.before.at[0] == datetime(2026, 3, 3, 2, tzinfo=UTC)
    assert change.after.at[0] == datetime(2026, 3, 3, 4, tzinfo=UTC)
    assert (change.before.count, change.after.count) == (7, 7)


def test_a_schedule_that_comes_goes_or_stays_the_same() -> None:
    old = Definition(schedules=(Schedule(id="a", interval_s=3600), Schedule(id="b", cron="0 0 * * *")))
    new = Definition(schedules=(Schedule(id="b", cron="0 0 * * *"), Schedule(id="c", interval_s=60)), timeout_s=1)
    found = planned(at("p", new), there=[present("p", old)])
    assert [(c.schedule, c.before is None, c.after is None) for c in found.schedules] == [
        ("a", False, True),
        ("c", True, False),
    ]
    assert found.schedules[1].after is not None
    assert (len(found.schedules[1].after.at), found.schedules[1].after.count) == (MAX_SHOWN, 7 * 24 * 60)


def test_a_pipeline_that_is_switched_off_does_not_fire() -> None:
    off = Definition(cron="0 0 * * *", enabled=False)
    [change] = planned(at("p", off), there=[present("p", Definition(cron="0 0 * * *"))]).schedules
    assert change.after is not None
    assert (change.after.at, change.after.count) == ([], 0)


def test_chains_and_new_circles_are_said() -> None:
    there = [present("a", Definition(downstream=(Downstream(pipeline="b"),))), present("b")]
    found = planned(at("b", Definition(downstream=(Downstream(pipeline="a", on_route="again"),))), there=there)
    assert found.chains == [ChainChange(upstream="b", downstream="a", change="added", condition="route again")]
    assert found.cycles == [["a", "b", "a"]]
    assert found.problems == ["these pipelines would start each other for ever: a → b → a"]


def test_a_circle_of_fan_in_is_a_circle() -> None:
    found = planned(at("a", Definition(upstream=Upstream(all=("a", "b")))), there=[present("b")])
    assert found.cycles == [["a", "a"]]


def test_a_circle_that_is_there_already_is_no_news() -> None:
    both = Definition(downstream=(Downstream(pipeline="a"),))
    found = planned(
        at("a", Definition(downstream=(Downstream(pipeline="a"),), timeout_s=1)), there=[present("a", both)]
    )
    assert found.cycles == []


def test_a_connection_to_nothing_is_a_problem() -> None:
    there = [present("a", Definition(downstream=(Downstream(pipeline="b"),))), present("b")]
    assert planned(there=there, gone=("b",)).problems == ["a is connected to b, and there is no pipeline b"]
    assert planned(at("c"), there=[there[0]]).problems == []  # nothing of this branch


def test_a_circle_through_files_and_the_api_is_a_problem() -> None:
    there = [present("a"), present("b"), present("c", Definition(downstream=(Downstream(pipeline="a"),)))]
    over_api = Edge(upstream="b", downstream="c", source="api")
    calling = Definition(downstream=(Downstream(pipeline="b"),))
    found = planned(at("a", calling), there=there, chains=(over_api,))
    assert found.cycles == [["a", "b", "c", "a"]]
    assert found.problems == ["these pipelines would start each other for ever: a → b → c → a"]
    assert [(c.upstream, c.downstream) for c in found.chains] == [("a", "b")]  # the other ones stay as they are
    assert planned(at("a", calling), there=there).cycles == []
    gone = planned(there=there, gone=("c",), chains=(over_api,)).problems
    assert gone == ["b is connected to c, and there is no pipeline c"]


def test_an_edge_of_the_api_that_a_file_says_now_too_is_that_of_the_file() -> None:
    over_api = Edge(upstream="a", downstream="b", on_failure=True, source="api")
    saying = Definition(downstream=(Downstream(pipeline="b"),))
    found = planned(at("a", saying), there=[present("a"), present("b")], chains=(over_api,))
    assert found.chains == [
        ChainChange(upstream="a", downstream="b", change="added", condition="success"),
        ChainChange(upstream="a", downstream="b", change="removed", condition="success and failure"),
    ]


def test_environments_that_nobody_has_installed_are_listed_once_with_why() -> None:
    found = planned(
        at("p", Definition(python="3.12"), "1" * 64),
        at("q", Definition(python="3.12"), "1" * 64),
        at("r", Definition(), "2" * 64),
        at("s", Definition(), "3" * 64),
        at("t", Definition()),
        at("u", Definition(isolation="jit"), "4" * 64),
        there=[],
        environments={Needed(None, "requirements", "2" * 64): None, Needed(None, "requirements", "3" * 64): "no such"},
    )
    assert found.environments == [
        NewEnvironment(python="3.12", requirements_sha256="1" * 64, pipelines=["p", "q"]),
        NewEnvironment(python=None, requirements_sha256="3" * 64, pipelines=["s"], failed="no such"),
    ]
    assert found.problems == ["the packages of s could not be installed: no such"]


def test_secrets_nobody_has_set_are_missed() -> None:
    found = planned(at("p", Definition(secrets=("KEY", "OTHER"))), there=[], secrets=("OTHER",))
    assert found.missing_secrets == [MissingSecret(pipeline="p", secret="KEY")]
    assert found.problems == ["p wants the secret KEY, which nobody has set"]


def test_a_name_of_another_repository_is_a_problem() -> None:
    found = planned(at("p"), there=[present("p", repository="theirs")])
    assert found.pipelines[0].change == "added"
    assert found.problems == ['the repository "theirs" has a pipeline p already; neither would run']


def test_neither_hashes_of_webhook_keys_nor_ciphertext_are_shown() -> None:
    old = Definition(webhook_hash="0" * 64, sealed_env={"A": "x"}, schedules=(Schedule(id="a", webhook_hash="1" * 64),))
    new = Definition(webhook_hash="2" * 64, sealed_env={"A": "y"}, schedules=(Schedule(id="a", webhook_hash="3" * 64),))
    found = str(planned(at("p", new), there=[present("p", old)]))
    assert "webhook_hash" not in found
    assert "sealed_env" not in found


def test_the_horizon_is_seven_days() -> None:
    [change] = planned(at("p", Definition(run_once_at=NOW + timedelta(days=8))), there=[]).schedules
    assert change.after is not None
    assert change.after.count == 0
