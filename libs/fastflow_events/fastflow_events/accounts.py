"""One NATS account per service, importing exactly the subjects it may use.

Permissions inside one account do not stop forgery: a reply subject makes the server publish on behalf of
whoever asked. Across accounts there is nothing to reply to. `CORE` owns the streams; only its user, the
deployer, may administrate them; `CONSUMER.CREATE` is exported to nobody, and of `STREAM.*` only the question
how full the log is.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from fastflow_events import subjects, topology

RUNNER_FACTS = (
    "claimed",
    "adopted",
    "started",
    "attempt_finished",
    "soft_limit_exceeded",
    "output_truncated",
    "cell_finished",
    "artifact_stored",
)
DEFAULT_RUNNER = "runner-1"
DEPLOYER = "deployer"


class Account(Struct, frozen=True, kw_only=True):
    """What one service may do on the bus."""

    name: str
    user: str
    """Names its key file; a runner's users are named after the runners."""
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
    """Every account beside `CORE`."""
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
                subjects.event("pipeline", fact="resumed"),
                *(subjects.event("schedule", fact=fact) for fact in ("set", "removed", "paused", "resumed")),
                subjects.event("chain"),
                subjects.event("backfill"),
                subjects.event("settings"),
                *(subjects.event("environment", fact=fact) for fact in ("refreshed", "retired")),
                *(subjects.event("secret", fact=fact) for fact in ("set", "removed")),
                *(
                    subjects.event("repository", fact=fact)
                    for fact in ("configured", "removed", "sync_requested", "deploy_key_requested")
                ),
                subjects.TRIGGERS,
                subjects.dead("gateway"),
            ),
            reads=(
                topology.EVENTS,
                topology.OUTPUT,
                topology.SAMPLES,
                topology.DEAD,
                topology.RUNNERS,
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
                subjects.event("pipeline"),
                *(
                    subjects.event("repository", fact=fact)
                    for fact in ("configured", "removed", "synced", "sync_failed", "deploy_key_generated")
                ),
                f"$O.{topology.CODE_BUCKET}.C.*",
                f"$O.{topology.CODE_BUCKET}.M.*",
                subjects.dead("git_sync"),
            ),
            reads=(topology.EVENTS, topology.CODE),
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
                "fastflow.out.*.*",
                "fastflow.sample.*.*",
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


def render(*, runners: Iterable[str] = (DEFAULT_RUNNER,), pools: Sequence[str] = (topology.DEFAULT_POOL,)) -> str:
    """Return the `accounts` block of the server's configuration.

    Users are variables (`$GATEWAY_KEY`); `variables` writes the file that gives them their public keys.
    """
    services = accounts(pools)
    blocks = [_core(services), *(_service(account, services, runners) for account in services), _external(), _SYSTEM]
    return "accounts {\n" + "".join(blocks) + "}\nsystem_account: SYS\n"


def users(runners: Iterable[str] = (DEFAULT_RUNNER,)) -> list[str]:
    """The names of all users; each has a key of its own."""
    return [DEPLOYER, "external", *(a.user for a in accounts() if a.user != "runner"), *runners]


def variables(public_keys: Mapping[str, str]) -> str:
    """Return the configuration lines that give each user its public nkey."""
    return "".join(f'{_variable(user)}: "{key}"\n' for user, key in public_keys.items())


def _variable(user: str) -> str:
    return user.upper().replace("-", "_").replace("=", "_") + "_KEY"


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


def _core(services: Sequence[Account]) -> str:
    kinds: dict[tuple[str, str], list[str]] = {}
    heard: dict[str, list[str]] = {}
    for account in services:
        for send in (*_services_of(account), *((_info_of(stream), "singleton") for stream in account.measures)):
            kinds.setdefault(send, []).append(account.name)
        for subject in account.hears:
            heard.setdefault(subject, []).append(account.name)
    for told in (subjects.TRIGGERS, _info_of(topology.TRIGGERS)):
        kinds.setdefault((told, "singleton"), []).append("EXTERNAL")
    heard.setdefault(subjects.FEED, []).append("EXTERNAL")
    exports = [
        f'      {{ service: "{subject}", response_type: "{kind}", accounts: [{", ".join(names)}] }}\n'
        for (subject, kind), names in kinds.items()
    ]
    exports += [
        f'      {{ stream: "{subject}", accounts: [{", ".join(names)}] }}\n' for subject, names in heard.items()
    ]
    return (
        "  CORE {\n    jetstream: enabled\n"
        f"    users: [{{ nkey: ${_variable(DEPLOYER)} }}]\n"
        f"    exports: [\n{''.join(exports)}    ]\n  }}\n"
    )


def _measured(stream: str) -> str:
    """Under a name of its own: what begins with $JS.API asks for the streams of the asker's own account."""
    told = f'account: CORE, subject: "{_info_of(stream)}"'
    return f'      {{ service: {{ {told} }}, to: "{subjects.size_of(stream)}" }}\n'


def _service(account: Account, services: Sequence[Account], runners: Iterable[str]) -> str:
    imports = [f'      {{ service: {{ account: CORE, subject: "{s}" }} }}\n' for s, _ in _services_of(account)]
    imports += [_measured(stream) for stream in account.measures]
    imports += [f'      {{ stream: {{ account: CORE, subject: "{s}" }} }}\n' for s in account.hears]
    imports += [f'      {{ service: {{ account: {of}, subject: "{s}" }} }}\n' for of, s in account.asks]
    if account.user == "runner":
        people = "".join(_runner_user(account, runner) for runner in runners)
    else:
        people = f"      {{ nkey: ${_variable(account.user)} }}\n"
    answers = [(subject, asker.name) for asker in services for of, subject in asker.asks if of == account.name]
    if account.user == "gateway":
        answers.append((subjects.REQUESTS, "EXTERNAL"))
    exported = "".join(f'      {{ service: "{subject}", accounts: [{asker}] }}\n' for subject, asker in answers)
    exports = f"    exports: [\n{exported}    ]\n" if exported else ""
    return f"  {account.name} {{\n    users: [\n{people}    ]\n{exports}    imports: [\n{''.join(imports)}    ]\n  }}\n"


def _runner_user(account: Account, runner: str) -> str:
    """A runner speaks in its own name only."""
    token = subjects.encode(runner)
    own = [subjects.size_of(stream) for stream in account.measures]
    for subject, _ in _services_of(account):
        named = subject.startswith(("fastflow.evt.run.", "fastflow.evt.keyring.", "$KV."))
        own.append(f"{subject.removesuffix('*')}{token}" if named else subject)
    allowed = ", ".join(f'"{subject}"' for subject in own)
    return f"      {{ nkey: ${_variable(runner)}, permissions: {{ publish: [{allowed}] }} }}\n"


def _external() -> str:
    return (
        "  EXTERNAL {\n"
        f"    users: [{{ nkey: ${_variable('external')} }}]\n"
        "    imports: [\n"
        f'      {{ service: {{ account: CORE, subject: "{subjects.TRIGGERS}" }} }}\n'
        f"{_measured(topology.TRIGGERS)}"
        f'      {{ service: {{ account: GATEWAY, subject: "{subjects.REQUESTS}" }} }}\n'
        f'      {{ stream: {{ account: CORE, subject: "{subjects.FEED}" }} }}\n'
        "    ]\n  }\n"
    )


_SYSTEM = "  SYS {}\n"
