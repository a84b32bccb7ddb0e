"""Ids of runs are a function of who asks for what."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from fastflow_events.ids import run_id_of_http, run_id_of_trigger, uuid7
from fastflow_events.testing.builders import NOON
from hypothesis import given
from hypothesis import strategies as st


def test_the_same_key_names_the_same_run() -> None:
    assert run_id_of_http("anonymous", "etl", "k") == run_id_of_http("anonymous", "etl", "k")
    assert UUID(run_id_of_http("anonymous", "etl", "k")).version == 5


@given(st.tuples(st.text(), st.text(), st.text()), st.tuples(st.text(), st.text(), st.text()))
def test_different_askers_pipelines_or_keys_never_share_a_run(a: tuple[str, str, str], b: tuple[str, str, str]) -> None:
    assert (run_id_of_http(*a) == run_id_of_http(*b)) == (a == b)


def test_a_trigger_message_and_an_http_key_never_collide() -> None:
    assert run_id_of_trigger("FASTFLOW_TRIGGERS", NOON, 7) != run_id_of_trigger("FASTFLOW_TRIGGERS", NOON, 8)
    assert run_id_of_trigger("a", NOON, 1) != run_id_of_http("a", NOON.isoformat(), "1")


@given(st.lists(st.tuples(st.datetimes(timezones=st.just(UTC)), st.integers(1)), unique=True))
def test_a_message_is_named_by_its_place_and_by_when_its_stream_was_made(messages: list[tuple[datetime, int]]) -> None:
    ids = [run_id_of_trigger("FASTFLOW_TRIGGERS", created, seq) for created, seq in messages]
    assert len({*ids}) == len(messages)
    assert ids == [run_id_of_trigger("FASTFLOW_TRIGGERS", created, seq) for created, seq in messages]


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_uuid7_carries_its_instant_version_and_variant(now_ms: int, random_bytes: bytes) -> None:
    made = UUID(uuid7(now_ms, random_bytes))
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == now_ms


def test_later_instants_sort_later() -> None:
    assert uuid7(1_000, b"\xff" * 10) < uuid7(1_001, b"\x00" * 10)


def test_too_little_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="ten random bytes"):
        uuid7(0, b"short")
