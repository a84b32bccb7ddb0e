"""One NATS account per service, and one per runner, importing exactly the subjects it may use.

Permissions inside one account do not stop forgery: a reply subject makes the server publish on behalf of
whoever asked, and an inbox can be heard by everybody. Across accounts there is nothing to reply to. `CORE` owns the
streams; only its user, the deployer, may administrate them; `CONSUMER.CREATE` is exported to nobody, and of `STREAM.*`
only the question how full the log is.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from fastflow_events import subjects
from fastflow_events.aggregates.run.state import RUNNER_FACTS
from fastflow_events.nats import topology

GIT_FACTS = (
    *("discovered", "changed", "invalid", "removed", "clashed", "clash_ended", "version_stored", "version_missing"),
)
"""Of pipelines; that they rest is said by people, that code may be deleted by the deployer."""
DEFAULT_RUNNER = "runner-1"
DEPLOYER = "deployer"
EXTERNAL = "external"
_OWN = ("fastflow.evt.run.", "fastflow.evt.keyring.", "fastflow.out.", "fastflow.sample.", "$KV.")
"""Where a runner speaks under its own name, which ends the subject."""


class Account(Struct, frozen=True, kw_only=True):
    """What one service may do on the bus."""

    name: str
    user: str
    """Names its key file; `runner` stands for all runners, whose users are named after them."""
    publishes: tuple[str, ...] = ()
    """Subjects it may send to; each has one answer."""
    reads: tuple[str, ...] = ()
    """Streams it may read by Direct Get."""
    measures: tuple[str, ...] = ()
    """Streams whose size and age it may ask for."""
    consumes: tuple[tuple[str, str], ...] = ()
    """Stream and durable consumer it may take messages from."""
    hears: tuple[str, ...] = ()
    """Subjects it may subscribe to."""
    asks: tuple[tuple[str, str], ...] = ()
    """Another service's account and the subject of the questions that it answers."""


def accounts(pools: Sequence[str] = (topology.DEFAULT_POOL,)) -> list[Account]:
    """Every account beside `CORE` and `EXTERNAL`; that of runners is the pattern of those that each of them has."""
    run = [subjects.event("run", fact=fact) for fact in ("requested", "cancel_requested")]
    feed, bell = subjects.FEED, subjects.OUTPUT_BELL
    return [
        Account(
            name="GATEWAY",
            user="gateway",
            publishes=(
                *run,
                subjects.event("run", fact="prioritised"),
                subjects.event("run", fact="hurried"),
                subjects.event("pipeline", fact="paused"),
                subjects.event("pipeline", fact="stats_reset"),
                subjects.event("pipeline", fact="resumed"),
                *(subjects.event("schedule", fact=fact) for fact in ("set", "removed", "paused", "resumed")),
                *(subjects.event("chain", fact=fact) for fact in ("set", "removed")),
                *(subjects.event("backfill", fact=fact) for fact in ("requested", "cancelled")),
                *(subjects.event("settings", fact=fact) for fact in ("paused", "resumed")),
                *(subjects.event("environment", fact=fact) for fact in ("refreshed", "retired")),
                *(subjects.event("secret", fact=fact) for fact in ("set", "removed")),
                *(subjects.event("access", fact=fact) for fact in ("token_created", "token_revoked")),
                *(
                    subjects.event("repository", fact=fact)
                    for fact in ("configured", "removed", "sync_requested", "deploy_key_requested")
                ),
                subjects.dead("gateway"),
            ),
            reads=(
                topology.EVENTS,
                topology.OUTPUT,
                topology.SAMPLES,
                topology.DEAD,
                topology.RUNNERS,
                topology.COMMITS,
                topology.CODE,
                topology.ARTIFACTS,
            ),
            measures=(topology.EVENTS, topology.TRIGGERS),
            consumes=((topology.TRIGGERS, "gateway-triggers"),),
            hears=(feed, bell),
            asks=(("GIT_SYNC", subjects.GIT_QUESTIONS),),
        ),
        Account(
            name="GIT_SYNC",
            user="git_sync",
            publishes=(
                *(subjects.event("pipeline", fact=fact) for fact in GIT_FACTS),
                *(
                    subjects.event("repository", fact=fact)
                    for fact in ("configured", "removed", "synced", "sync_failed", "deploy_key_generated")
                ),
                f"$O.{topology.CODE_BUCKET}.C.*",
                f"$O.{topology.CODE_BUCKET}.M.*",
                topology.key(topology.COMMITS, "*"),
                subjects.dead("git_sync"),
            ),
            reads=(topology.EVENTS, topology.CODE, topology.COMMITS),
            measures=(topology.EVENTS,),
            consumes=((topology.EVENTS, "git_sync-sync"), (topology.EVENTS, "git_sync-versions")),
            hears=(feed,),
        ),
        Account(
            name="SCHEDULER",
            user="scheduler",
            publishes=(
                *run,
                *(
                    subjects.event("run", fact=fact)
                    for fact in ("rejected", "dispatch_withdrawn", "retry_scheduled", "lost", "finished")
                ),
                subjects.event("run", fact="dispatched", scope=subjects.ANY),
                subjects.event("queue", fact="leased"),
                subjects.event("schedule", fact="fire_skipped"),
                subjects.event("schedule", fact="fire_missed"),
                subjects.event("repository", fact="sync_requested"),
                subjects.event("repository", fact="overdue"),
                "$KV.fastflow-leases.*",
                subjects.dead("scheduler"),
            ),
            reads=(topology.EVENTS, topology.RUNNERS, topology.LEASES),
            measures=(topology.EVENTS,),
            hears=(feed,),
        ),
        Account(
            name="RUNNER",
            user="runner",
            publishes=(
                *(subjects.event("run", fact=fact, scope=subjects.ANY) for fact in RUNNER_FACTS),
                subjects.event("environment"),
                subjects.event("keyring", fact="key_published", scope=subjects.ANY),
                "fastflow.out.*.*.*",
                "fastflow.sample.*.*.*",
                f"$O.{topology.ARTIFACTS_BUCKET}.C.*",
                f"$O.{topology.ARTIFACTS_BUCKET}.M.*",
                "$KV.fastflow-runners.*",
                subjects.dead("runner"),
            ),
            reads=(topology.EVENTS, topology.OUTPUT, topology.SAMPLES, topology.CODE, topology.RUNNERS),
            measures=(topology.EVENTS,),
            consumes=(
                *((topology.EVENTS, topology.dispatch_durable(pool)) for pool in pools),
                (topology.EVENTS, topology.PREHEAT),
            ),
            hears=(feed,),
        ),
    ]


def render(public_keys: Mapping[str, str], *, pools: Sequence[str] = (topology.DEFAULT_POOL,)) -> str:
    """Return the `accounts` block of the server's configuration for these users and their public nkeys.

    Whoever is no service's user is a runner.
    """
    services: list[Account] = []
    for account in accounts(pools):
        own = [name for name in public_keys if name not in SERVICES] if account.user == "runner" else []
        services += [_of_runner(account, name) for name in own] if account.user == "runner" else [account]
    blocks = [
        _core(services, public_keys[DEPLOYER]),
        *(_service(account, services, public_keys[account.user]) for account in services),
        _external(public_keys[EXTERNAL]),
        _SYSTEM,
    ]
    return "accounts {\n" + "".join(blocks) + "}\nsystem_account: SYS\n"


def _of_runner(account: Account, runner: str) -> Account:
    """The account of one runner, which speaks in its own name only."""
    token = subjects.encode(runner)
    own = [f"{s.removesuffix('*')}{token}" if s.startswith(_OWN) else s for s in account.publishes]
    return replace(account, name=f"RUNNER-{token}", user=runner, publishes=tuple(own))


SERVICES = (DEPLOYER, EXTERNAL, *(account.user for account in accounts() if account.user != "runner"))
"""The users that there are in every installation; all others are runners."""


def _named(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _services_of(account: Account) -> list[tuple[str, str]]:
    """Subject and kind of answer of everything the account may send to."""
    sends = [(subject, "singleton") for subject in account.publishes]
    sends += [(f"$JS.API.DIRECT.GET.{stream}", "stream") for stream in account.reads]
    for stream, durable in account.consumes:
        sends.append((f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}", "stream"))
        sends.append((f"$JS.ACK.{stream}.{durable}.>", "singleton"))
    return sends


def _info_of(stream: str) -> str:
    return f"$JS.API.STREAM.INFO.{stream}"


def _core(services: Sequence[Account], key: str) -> str:
    kinds: dict[tuple[str, str], list[str]] = {}
    heard: dict[str, list[str]] = {}
    for account in services:
        for send in (*_services_of(account), *((_info_of(stream), "singleton") for stream in account.measures)):
            kinds.setdefault(send, []).append(account.name)
        for subject in account.hears:
            heard.setdefault(subject, []).append(account.name)
    for source in (subjects.TRIGGERS, _info_of(topology.TRIGGERS)):
        kinds.setdefault((source, "singleton"), []).append("EXTERNAL")
    heard.setdefault(subjects.FEED, []).append("EXTERNAL")
    exports = [
        f'      {{ service: "{subject}", response_type: "{kind}", accounts: [{_named(names)}] }}\n'
        for (subject, kind), names in kinds.items()
    ]
    exports += [f'      {{ stream: "{subject}", accounts: [{_named(names)}] }}\n' for subject, names in heard.items()]
    return (
        "  CORE {\n    jetstream: enabled\n"
        f'    users: [{{ nkey: "{key}" }}]\n'
        f"    exports: [\n{''.join(exports)}    ]\n  }}\n"
    )


def _measured(stream: str) -> str:
    """Under a name of its own: what begins with $JS.API asks for the streams of the asker's own account."""
    source = f'account: CORE, subject: "{_info_of(stream)}"'
    return f'      {{ service: {{ {source} }}, to: "{subjects.size_of(stream)}" }}\n'


def _service(account: Account, services: Sequence[Account], key: str) -> str:
    imports = [f'      {{ service: {{ account: CORE, subject: "{s}" }} }}\n' for s, _ in _services_of(account)]
    imports += [_measured(stream) for stream in account.measures]
    imports += [f'      {{ stream: {{ account: CORE, subject: "{s}" }} }}\n' for s in account.hears]
    imports += [f'      {{ service: {{ account: {of}, subject: "{s}" }} }}\n' for of, s in account.asks]
    answers = [(subject, asker.name) for asker in services for of, subject in asker.asks if of == account.name]
    if account.user == "gateway":
        answers.append((subjects.REQUESTS, "EXTERNAL"))
    exported = "".join(f'      {{ service: "{subject}", accounts: [{asker}] }}\n' for subject, asker in answers)
    exports = f"    exports: [\n{exported}    ]\n" if exported else ""
    return (
        f'  "{account.name}" {{\n    users: [{{ nkey: "{key}" }}]\n{exports}'
        f"    imports: [\n{''.join(imports)}    ]\n  }}\n"
    )


def _external(key: str) -> str:
    return (
        "  EXTERNAL {\n"
        f'    users: [{{ nkey: "{key}" }}]\n'
        "    imports: [\n"
        f'      {{ service: {{ account: CORE, subject: "{subjects.TRIGGERS}" }} }}\n'
        f"{_measured(topology.TRIGGERS)}"
        f'      {{ service: {{ account: GATEWAY, subject: "{subjects.REQUESTS}" }} }}\n'
        f'      {{ stream: {{ account: CORE, subject: "{subjects.FEED}" }} }}\n'
        "    ]\n  }\n"
    )


_SYSTEM = "  SYS {}\n"
