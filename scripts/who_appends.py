"""Which facts each service may append, and who appends those of a run: tables of two pages, from the accounts."""

import sys
from inspect import getsourcelines

from fastflow_cli.proto.asyncapi import appended_by
from fastflow_events.catalogue import facts
from fastflow_events.fact import Fact
from generated_part import ROOT, bring_up_to_date, renewed

SERVICES, ARCHITECTURE = ROOT / "services" / "README.md", ROOT / "docs" / "architecture.md"


def of_services() -> str:
    """A row for each service, and for the deployer, who may append what nobody else does."""
    rows: dict[str, list[str]] = {}
    for wire_name, cls in facts().items():
        for service in appended_by(wire_name, cls) or ["deployer"]:
            rows.setdefault(service, []).append(f"`{wire_name.rpartition('.')[0]}`")
    lines = [f"| {service} | {', '.join(names)} |" for service, names in sorted(rows.items())]
    return "\n".join(("| service | may append |", "|---|---|", *lines))


def of_a_run() -> str:
    """A row for each fact of a run, in the order in which they are written down in the code."""
    rows = [
        f"| `{wire_name.rpartition('.')[0]}` | {', '.join(appended_by(wire_name, cls))} | {sentence(cls)} |"
        for wire_name, cls in sorted(facts().items(), key=lambda fact: getsourcelines(fact[1])[1])
        if wire_name.startswith("run.")
    ]
    return "\n".join(("| fact | by | says |", "|---|---|---|", *rows))


def sentence(cls: type[Fact]) -> str:
    """What a fact says, in one line."""
    return (cls.__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    written = {
        SERVICES: renewed(SERVICES, "facts", of_services()),
        ARCHITECTURE: renewed(ARCHITECTURE, "facts of a run", of_a_run()),
    }
    sys.exit(bring_up_to_date(written, check="--check" in sys.argv))
