"""Small rules of the gateway: dead letters, origins, problems, addresses, bells."""

import asyncio

import pytest
from fastflow_events.errors import ConcurrencyError, ContractError, FastflowError, InfrastructureError, SettingsError
from fastflow_events.message import Verbatim
from fastflow_gateway.app import build
from fastflow_gateway.bell import Changes
from fastflow_gateway.core.dead_letters import StoredLetter, Verdict, headers_of, open_letters, read_letter
from fastflow_gateway.core.errors import ForeignOriginError, InvalidFieldError, KeyReusedError
from fastflow_gateway.core.problems import problem_of
from fastflow_gateway.handlers.audit import Filter, subject_of
from fastflow_gateway.http.origin import refuse_foreign
from fastflow_gateway.settings import GatewaySettings


def letter(seq: int) -> StoredLetter | Verdict:
    headers = {"Fastflow-Subject": "fastflow.trigger.x", "Fastflow-Stream": "FASTFLOW_TRIGGERS", "Fastflow-Seq": "4"}
    return read_letter(seq, "gateway", headers, b"garbage", None)


def test_a_letter_is_open_until_somebody_judges_it() -> None:
    verdict = Verdict(letter=1, judgement="discarded", who="ann")
    assert list(open_letters([letter(1), letter(2), verdict])) == [2]


def test_a_verdict_reads_as_it_was_written() -> None:
    verdict = Verdict(letter=7, judgement="retried", who="ann")
    assert read_letter(9, "gateway", headers_of(verdict), b"", None) == verdict


def test_no_other_service_can_take_a_letter_off_the_list() -> None:
    forged = read_letter(9, "runner", headers_of(Verdict(letter=1, judgement="discarded", who="eve")), b"", None)
    assert list(open_letters([letter(1), forged])) == [1, 9]


def test_a_verdict_on_nothing_is_refused() -> None:
    with pytest.raises(ContractError):
        read_letter(9, "gateway", {"Fastflow-Verdict": "discarded", "Fastflow-Letter": "all"}, b"", None)


def foreign(host: str = "127.0.0.1:8000", method: str = "POST", **headers: str) -> bool:
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        refuse_foreign(host, method, named)
    except ForeignOriginError:
        return True
    return False


def test_a_page_of_another_site_cannot_change_anything() -> None:
    assert foreign(origin="https://evil.example")
    assert foreign(origin="null")
    assert foreign(sec_fetch_site="cross-site")
    assert foreign(origin="http://127.0.0.1:9999")


def test_our_own_page_and_programs_may() -> None:
    assert not foreign()
    assert not foreign(origin="http://127.0.0.1:8000", sec_fetch_site="same-origin")
    assert not foreign(method="GET", sec_fetch_site="cross-site")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConcurrencyError("x"), 409),
        (ContractError("x"), 400),
        (InvalidFieldError(Verbatim("x"), "/env"), 422),
        (KeyReusedError("x"), 422),
        (InfrastructureError("x"), 503),
        (FastflowError("x"), 500),
    ],
)
def test_an_error_has_the_status_of_its_closest_ancestor(error: FastflowError, status: int) -> None:
    assert problem_of(error).status == status


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_strangers_are_not_served_unless_somebody_says_so(host: str) -> None:
    with pytest.raises(SettingsError, match="--insecure"):
        build(GatewaySettings(host=host))
    build(GatewaySettings(host=host, insecure=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_needs_no_permission(host: str) -> None:
    build(GatewaySettings(host=host))


@pytest.mark.parametrize(
    ("wanted", "subject"),
    [
        (Filter(), "fastflow.evt.>"),
        (Filter(aggregate="run"), "fastflow.evt.run.>"),
        (Filter(aggregate="run", id="r1"), "fastflow.evt.run.r1.>"),
        (Filter(type="run.requested"), "fastflow.evt.run.*.requested"),
        (Filter(type="run.requested.v1"), "fastflow.evt.run.*.requested"),
        (Filter(type="run.claimed", id="r1"), "fastflow.evt.run.r1.claimed.*"),
        (Filter(aggregate="pipeline", id="é.x"), "fastflow.evt.pipeline.=C3=A9=2Ex.>"),
    ],
)
def test_a_filter_becomes_the_subject_that_covers_it(wanted: Filter, subject: str) -> None:
    assert subject_of(wanted) == subject


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(id="r1"),
        Filter(type="run.invented"),
        Filter(aggregate="cat"),
        Filter(aggregate="pipeline", type="run.lost"),
    ],
)
def test_a_filter_that_can_match_nothing_is_refused(wanted: Filter) -> None:
    with pytest.raises(ContractError):
        subject_of(wanted)


async def test_a_bell_rings_for_its_own_run_only() -> None:
    changes, mine, other = Changes(), asyncio.Event(), asyncio.Event()
    with changes.listen("a", mine), changes.listen("b", other):
        changes.ring(7, ["a"])
    changes.ring(8, ["b"])
    assert (mine.is_set(), other.is_set(), changes.seq) == (True, False, 8)


async def test_waiting_for_a_position_ends_when_it_is_reached_or_too_late() -> None:
    changes = Changes()
    waiting = asyncio.create_task(changes.reached(5, within_s=10))
    await asyncio.sleep(0)
    changes.ring(5, [])
    assert await waiting
    assert not await changes.reached(6, within_s=0.01)
