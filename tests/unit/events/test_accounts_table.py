"""Who may say which fact, all of them: what an account may say beyond that has to be written down here first."""

import pytest
from fastflow_events import subjects
from fastflow_events.aggregates.vocabulary import known_facts
from fastflow_events.nats.accounts import accounts

SAYS = {
    "gateway": {
        "run": {"requested", "cancel_requested", "prioritised", "hurried"},
        "pipeline": {"paused", "resumed", "stats_reset"},
        "access": {"token_created", "token_revoked"},
        "schedule": {"set", "removed", "paused", "resumed"},
        "chain": {"set", "removed"},
        "backfill": {"requested", "cancelled"},
        "settings": {"paused", "resumed"},
        "environment": {"refreshed", "retired"},
        "secret": {"set", "removed"},
        "repository": {"configured", "removed", "sync_requested", "deploy_key_requested"},
    },
    "git_sync": {
        "pipeline": {
            *("discovered", "changed", "invalid", "removed", "clashed", "clash_ended"),
            *("version_stored", "version_missing"),
        },
        "repository": {"configured", "removed", "synced", "sync_failed", "deploy_key_generated"},
    },
    "scheduler": {
        "run": {
            *("requested", "cancel_requested", "rejected", "dispatched", "dispatch_withdrawn"),
            *("retry_scheduled", "lost", "finished"),
        },
        "queue": {"leased"},
        "schedule": {"fire_skipped", "fire_missed"},
        "repository": {"sync_requested", "overdue"},
    },
}
KNOWN = {tuple(name.split(".")[:2]) for name in known_facts()}


@pytest.mark.parametrize("user", SAYS)
def test_an_account_says_the_facts_of_its_service_and_no_others(user: str) -> None:
    [account] = [account for account in accounts() if account.user == user]
    wanted = {(aggregate, fact) for aggregate, facts in SAYS[user].items() for fact in facts}
    assert wanted <= KNOWN
    found = [subject.split(".") for subject in account.publishes if subject.startswith("fastflow.evt.")]
    assert {(parts[2], parts[4]) for parts in found} == wanted, "none of them is a wildcard"
    assert subjects.TRIGGERS not in account.publishes, "only other systems trigger"


def test_every_fact_is_somebodys() -> None:
    by_services = {(aggregate, fact) for facts in SAYS.values() for aggregate in facts for fact in facts[aggregate]}
    runners = {"run", "environment", "keyring"}
    assert {name for name in KNOWN - by_services if name[0] not in runners} == {("pipeline", "bundle_expired")}, (
        "the deployer's"
    )
