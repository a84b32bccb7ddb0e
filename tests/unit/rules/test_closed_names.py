"""Whoever asks for a run decides what it is given, and never what is executed: one list for every door."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NoReturn, cast, get_args

import pytest
from fastflow_events.aggregates.chain.events import ChainSet
from fastflow_events.aggregates.run.events import RunRequested, Trigger
from fastflow_events.aggregates.schedule.events import ScheduleSet
from fastflow_events.errors import FastflowError
from fastflow_events.testing.builders import CAUSE, run_requested
from fastflow_events.types import TriggerKind
from fastflow_gateway.core.rerun_request import RerunBody, options_of
from fastflow_gateway.core.rights import may_operate
from fastflow_gateway.core.run_request import RunOptions, read_run_options
from fastflow_gateway.deps import Deps
from fastflow_gateway.handlers import backfills, chains, schedules, triggers
from fastflow_gateway.handlers.backfills import BackfillBody
from fastflow_gateway.handlers.runs import request_run
from fastflow_rules.definition import Defaults, Definition, NoEnv, Param, parse, why_closed
from fastflow_rules.definition.reserved import PROTECTED, RULES, Rule
from fastflow_rules.queue.admission import Refusal, Version, freeze
from hypothesis import given
from hypothesis import strategies as st

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KINDS: tuple[TriggerKind, ...] = get_args(TriggerKind)
TAILS = st.text("ABCXYZabcxyz019_", max_size=12)
CLOSED = [pattern for rule in RULES for pattern in rule.names.split()]


class Untouched:
    """Whatever a handler needs from outside; a request that is refused at the door needs none of it."""

    def clock(self) -> datetime:
        """What a fresh id is made from."""
        return NOON

    def random_bytes(self, size: int) -> bytes:
        """What a fresh id is made from."""
        return bytes(size)

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"{name} was asked for before the names were looked at")


NOTHING = cast("Deps", Untouched())


@st.composite
def closed_names(draw: st.DrawFn) -> str:
    """A name that some rule closes."""
    rule: Rule = draw(st.sampled_from(RULES))
    name = draw(st.sampled_from(rule.names.split())).replace("*", draw(TAILS.filter(bool)))
    return draw(st.sampled_from([name.lower(), name.upper(), name])) if rule.any_case else name


def body(member: str, name: str) -> bytes:
    return json.dumps({member: {name: "x"}}).encode()


async def by_http(member: str, name: str) -> None:
    trigger = Trigger(kind="http", who="127.0.0.1")
    await request_run(NOTHING, "p", read_run_options(body(member, name)), run_id="r", trigger=trigger, cause=CAUSE)


async def by_request(name: str) -> None:
    await triggers.run_of_request(NOTHING, "fastflow.request.p", body("params", name), cause=CAUSE)


async def once_more(member: str, name: str) -> None:
    first = run_requested(**{member: {name: "x"}})
    options, trigger = options_of(first, RerunBody(same_commit=True)), Trigger(kind="http", rerun_of="r")
    await request_run(NOTHING, "p", options, run_id="again", trigger=trigger, cause=CAUSE)


async def by_schedule(name: str) -> None:
    wanted = ScheduleSet(pipeline="p", name="s", cron="* * * * *", params={name: "x"})
    await schedules.set_schedule(NOTHING, wanted, cause=CAUSE)


async def by_backfill(name: str) -> None:
    options = BackfillBody(schedule="s", after=NOON, until=NOON, params={name: "x"})
    await backfills.request(NOTHING, "p", options, who="", cause=CAUSE)


async def by_chain(name: str) -> None:
    await chains.set_chain(NOTHING, ChainSet(upstream="a", downstream="b", params={name: "x"}), cause=CAUSE)


DOORS: dict[str, Callable[[str], Awaitable[None]]] = {
    "POST …/run, params": lambda name: by_http("params", name),
    "POST …/run, parameters": lambda name: by_http("parameters", name),
    "POST …/run, env": lambda name: by_http("env", name),
    "POST …/run, env_vars": lambda name: by_http("env_vars", name),
    "a request over NATS": by_request,
    "POST …/retry, params": lambda name: once_more("params", name),
    "POST …/retry, env": lambda name: once_more("env", name),
    "PUT …/schedules": by_schedule,
    "POST …/backfills": by_backfill,
    "POST …/downstream-triggers": by_chain,
}


@pytest.mark.parametrize("door", DOORS)
@given(name=closed_names() | st.sampled_from(["", "a=b", "a-b", "_JAVA_OPTIONS", "BASH_FUNC_ls%%", "ä", "A\0", "A\n"]))
async def test_every_door_refuses_the_same_names_with_the_same_sentence_and_touches_nothing(
    door: str, name: str
) -> None:
    why = why_closed(name)
    assert why is not None
    with pytest.raises(FastflowError) as refused:
        await DOORS[door](name)
    assert str(refused.value) == str(why)


@pytest.mark.parametrize("member", ["params", "downstream_triggers", "upstream"])
@given(name=closed_names())
def test_a_file_cannot_hand_a_closed_name_to_those_who_ask(member: str, name: str) -> None:
    fields = {
        "params": [{"name": name}],
        "downstream_triggers": [{"pipeline": "next", "params": {name: "$result.x"}}],
        "upstream": {"all": ["a", "b"], "params": {name: "$result.a.x"}},
    }[member]
    [problem] = cast("list[object]", parse(json.dumps({member: fields}).encode(), folder="p"))
    assert str(why_closed(name)) in str(problem)


@given(closed_names().filter(lambda name: name not in PROTECTED))
def test_what_the_file_says_for_its_own_script_is_its_own_affair(name: str) -> None:
    definition = parse(json.dumps({"default_env": {name: "x"}}).encode(), folder="p")
    assert isinstance(definition, Definition)
    frozen = freeze(run_requested(), version(definition), Defaults())
    assert not isinstance(frozen, Refusal)
    assert frozen.env == {name: "x"}


def version(definition: Definition) -> Version:
    return Version(repository="main", commit="c" * 40, tree="d" * 40, definition=definition)


def asked(kind: TriggerKind, **fields: dict[str, str]) -> RunRequested:
    return run_requested(trigger=Trigger(kind=kind), **fields)


@given(name=closed_names(), kind=st.sampled_from(KINDS), member=st.sampled_from(["env", "params"]))
def test_a_request_that_went_past_every_door_is_not_started(name: str, kind: TriggerKind, member: str) -> None:
    """A gateway that was taken over writes facts; what they hold is looked at once more by who hands out places."""
    for declared in ((), (Param(name=name),)):
        frozen = freeze(asked(kind, **{member: {name: "x"}}), version(Definition(params=declared)), Defaults())
        assert isinstance(frozen, Refusal)
        assert str(why_closed(name)) in str(frozen.detail) or str(frozen.detail) == str(NoEnv())


@pytest.mark.parametrize("kind", KINDS)
def test_env_is_for_people_and_params_are_for_everybody(kind: TriggerKind) -> None:
    people = kind in {"http", "cli", "daemon_restart"}
    assert may_operate(Trigger(kind=kind)) == people
    frozen = freeze(asked(kind, env={"A": "1"}), version(Definition()), Defaults())
    assert isinstance(frozen, Refusal) != people
    assert not isinstance(freeze(asked(kind, params={"A": "1"}), version(Definition()), Defaults()), Refusal)


async def test_a_system_that_gives_env_is_told_who_may() -> None:
    with pytest.raises(FastflowError, match=str(NoEnv())):
        await triggers.run_of_request(NOTHING, "fastflow.request.p", body("env", "A"), cause=CAUSE)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_with_nul_is_never_started(kind: TriggerKind) -> None:
    for found in ({"env": {"A": "1\0"}}, {"params": {"A": "1\0"}}):
        assert isinstance(freeze(asked(kind, **found), version(Definition()), Defaults()), Refusal)


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONWARNINGS", "BROWSER", "BASH_ENV", "PERL5OPT", "GIT_SSH_COMMAND", "LD_PRELOAD", "ENV", "IFS", "PATH"),
        *("RUBYOPT", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "PAGER", "EDITOR", "VISUAL", "SHELLOPTS", "HOME", "UV_INDEX"),
        *("PIP_INDEX_URL", "FASTFLOW_RUN_ID", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "https_proxy"),
        *(
            "NO_PROXY",
            "DYLD_INSERT_LIBRARIES",
            "PS4",
            "GCONV_PATH",
            "OPENSSL_CONF",
            "npm_config_registry",
            "XDG_DATA_HOME",
        ),
    ],
)
def test_what_is_known_to_hook_or_to_redirect_is_closed(name: str) -> None:
    assert why_closed(name) is not None


@pytest.mark.parametrize("name", ["DAY", "path", "env", "home", "git_branch", "REGION", "TZ", "LANG", "MY_PATH", "N1"])
def test_ordinary_names_are_open(name: str) -> None:
    assert why_closed(name) is None


def test_wishes_without_a_closed_name_are_as_they_were() -> None:
    assert read_run_options(body("params", "DAY")) == RunOptions(params={"DAY": "x"})


def test_every_rule_says_who_reads_the_names_and_where_that_is_written() -> None:
    assert all(rule.reader and rule.source for rule in RULES)
    assert len(CLOSED) == len(set(CLOSED))
