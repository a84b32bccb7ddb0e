"""The rules of a token."""

from datetime import UTC, datetime, timedelta

import pytest
from fastflow_events.aggregates.access.commands import CreateToken, RevokeToken
from fastflow_events.aggregates.access.decider import Token, is_valid, token_decider
from fastflow_events.aggregates.access.events import AccessTokenCreated, AccessTokenRevoked
from fastflow_events.aggregates.access.grants import Grant
from fastflow_events.errors import NotFoundError
from fastflow_events.fact import Fact

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def created(**more: object) -> AccessTokenCreated:
    fields = {"kind": "service", "name": "erp", "hash": "0" * 64, "grants": (Grant("operator"),), "by": "local"}
    return AccessTokenCreated(**{**fields, **more})  # type: ignore[arg-type]


def after(*facts: Fact) -> Token:
    return token_decider.fold(facts)


def test_a_token_is_made_once() -> None:
    fact = created()
    assert token_decider.decide(CreateToken(token=fact, at=NOW), Token()) == [fact]
    assert token_decider.decide(CreateToken(token=created(name="other"), at=NOW), after(fact)) == []


def test_one_that_has_run_out_or_was_revoked_is_replaced_by_the_next() -> None:
    following = created(hash="1" * 64)
    for state in (after(created(expires_at=NOW)), after(created(), AccessTokenRevoked(by="local"))):
        assert token_decider.decide(CreateToken(token=following, at=NOW), state) == [following]


def test_a_token_is_revoked_once() -> None:
    revoke = RevokeToken(by="local")
    assert token_decider.decide(revoke, after(created())) == [AccessTokenRevoked(by="local")]
    assert token_decider.decide(revoke, after(created(), AccessTokenRevoked(by="ann"))) == []


def test_what_was_never_made_cannot_be_revoked() -> None:
    with pytest.raises(NotFoundError, match="there is no such token"):
        token_decider.decide(RevokeToken(by="local"), Token())


@pytest.mark.parametrize(
    ("token", "valid"),
    [
        (Token(), False),
        (after(created()), True),
        (after(created(expires_at=NOW + timedelta(microseconds=1))), True),
        (after(created(expires_at=NOW)), False),
        (after(created(), AccessTokenRevoked(by="local")), False),
    ],
    ids=["none", "for ever", "until a moment later", "until now", "revoked"],
)
def test_it_is_valid_until_it_runs_out_or_is_revoked(token: Token, valid: bool) -> None:
    assert is_valid(token, NOW) is valid
