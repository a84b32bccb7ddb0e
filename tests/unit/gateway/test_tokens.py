"""Tokens and what they are good for: pure."""

import re
from itertools import product
from typing import get_args

import pytest
from fastflow_events.aggregates.access.events import Scope
from fastflow_events.aggregates.access.grants import Grant, Role
from fastflow_gateway.core.access.needs import NEEDS, without_need
from fastflow_gateway.core.access.permissions import ACTIONS, ADMIN, LOOK, METRICS, OPEN, OPERATE, SELF, START, allowed
from fastflow_gateway.core.access.principal import LOCAL, Principal
from fastflow_gateway.core.access.token_text import PATTERN, hash_of, is_token, mint
from hypothesis import given
from hypothesis import strategies as st

KEY, OTHER_KEY = bytes(32), bytes([1]) * 32
TEXT = mint("service", lambda length: bytes(range(length)))
ROLES: tuple[Role, ...] = get_args(Role)


def somebody(role: Role, *scopes: Scope) -> Principal:
    return Principal(who="token:t", grants=(Grant(role),), scopes=scopes)


@given(st.binary(min_size=32, max_size=32))
def test_a_token_can_be_told_from_everything_else(chance: bytes) -> None:
    text = mint("service", lambda _: chance)
    assert is_token(text)
    assert re.fullmatch(r"ffs_[0-9A-Za-z]{38}", text)
    assert PATTERN.findall(f"a={text}&b".encode()) == [text.encode()]


@given(st.integers(min_value=4, max_value=len(TEXT) - 1), st.sampled_from("0123456789abcXYZ"))
def test_a_mistyped_token_is_none(place: int, letter: str) -> None:
    mistyped = TEXT[:place] + letter + TEXT[place + 1 :]
    assert is_token(mistyped) is (mistyped == TEXT)


@pytest.mark.parametrize(
    "text", ["", TEXT[:-1], TEXT + "0", TEXT + "\n", " " + TEXT, TEXT.replace("ffs", "ffx"), "ffs_é"]
)
def test_what_is_cut_off_or_longer_is_none(text: str) -> None:
    assert not is_token(text)


def test_what_is_stored_depends_on_the_key_and_the_whole_token() -> None:
    assert len({hash_of(KEY, TEXT), hash_of(OTHER_KEY, TEXT), hash_of(KEY, TEXT[:-1])}) == 3
    assert hash_of(KEY, TEXT) == hash_of(KEY, TEXT)
    assert TEXT not in hash_of(KEY, TEXT)


def test_each_role_may_what_those_before_it_may() -> None:
    table = [[allowed(somebody(role), need) for need in (LOOK, START, OPERATE, METRICS, ADMIN)] for role in ROLES]
    assert table == [
        [True, False, False, False, False],
        [True, True, True, True, False],
        [True, True, True, True, True],
    ]


def test_nobody_may_only_what_is_open() -> None:
    assert allowed(None, OPEN)
    assert not any(allowed(None, need) for need in {*ACTIONS.values(), SELF})


def test_on_loopback_without_a_login_everybody_may_everything() -> None:
    assert all(allowed(LOCAL, need) for need in NEEDS.values())


@pytest.mark.parametrize(
    ("scope", "may"),
    [
        ("read", {"look", "inspect"}),
        ("trigger", {"start"}),
        ("operate", {"look", "inspect", "start", "operate"}),
        ("admin", {"look", "inspect", "start", "operate", "administer", "measure"}),
        ("metrics", {"measure"}),
    ],
)
def test_a_scope_narrows(scope: Scope, may: set[str]) -> None:
    given = {name for name, need in ACTIONS.items() if allowed(somebody("admin", scope), need)}
    assert given == may
    assert allowed(somebody("admin", scope), SELF)


def test_a_scope_never_widens() -> None:
    for role, scope, need in product(ROLES, get_args(Scope), ACTIONS.values()):
        assert allowed(somebody(role), need) or not allowed(somebody(role, scope), need)


def test_a_role_on_one_pipeline_is_none_on_the_installation() -> None:
    assert not allowed(Principal(who="token:t", grants=(Grant("admin", "pipeline:etl"),)), LOOK)


def test_a_route_without_a_need_is_told() -> None:
    assert without_need(["GET /api/runs", "GET /api/runs", "POST /api/new"]) == ["POST /api/new"]
