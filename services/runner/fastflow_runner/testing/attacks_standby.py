"""Attacks on what standby workers need: shared namespaces, other names, other limits."""

import json
import re
from collections.abc import Iterator
from typing import Any

from fastflow_rules.network import MAX_TARGETS

from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import MAX_ADDRESSES, Closing
from fastflow_runner.core.container_spec import Deployment, pause_body, run_body, update_body
from fastflow_runner.testing.attacks import BOUNDS, INSTALLATION, NAME, NET, OURS, OWNER, PLACE, SERIAL, STANDBY

OTHER_RUN = f"{OURS}0192f0c1-7b1e-7c3a-9d2e-0123456789ac-1"
_FOREIGN_NETWORKS = (
    "host",
    "none",
    "bridge",
    "default",
    "fastflow_bus",
    "container:gateway",
    "container:nats",
    f"container:{'a' * 64}",
    f"container:{NAME}",
    f"container:{STANDBY}",
    f"container:{OURS}net-r-2-{PLACE}",
    f"container:{NET}x",
    f"container:x{NET}",
    f"container:/{NET}",
    "container:",
    f"container:{NET} ",
    f"Container:{NET}",
    f"ns:/proc/1/{NET}",
    f"container:{OURS}net-{OWNER}-gateway",
    f"container:{OURS}net-{OWNER}-{PLACE}/../gateway",
)
_NO_CONDITIONS = (
    "accept",
    "ip daddr 10.0.0.0/8 accept",
    "ip daddr 10.0.0.0/8;accept",
    "ip daddr 10.0.0.0/8\\naccept",
    "ip daddr 10.0.0.0/8 }",
    "ip saddr 10.0.0.0/8",
    "ip daddr 0.0.0.0",
    "ip daddr != 10.0.0.0/8",
    "ip daddr 10.0.0.0/8;",
    ";ip daddr 10.0.0.0/8",
    "ip daddr $(id)/8",
    "include /etc/passwd",
)
_LOOSE: tuple[tuple[str, Any], ...] = (
    ("RestartPolicy", {"Name": "always"}),
    ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 1}),
    ("RestartPolicy", {"Name": "no"}),
    ("OomKillDisable", True),
    ("CpuShares", 1 << 18),
    ("CpuPeriod", 1),
    ("CpuQuota", -1),
    ("CpuRealtimeRuntime", 950_000),
    ("CpusetCpus", "0"),
    ("CpusetMems", "0"),
    ("BlkioWeight", 1000),
    ("KernelMemory", -1),
    ("KernelMemoryTCP", -1),
    ("MemoryReservation", 1),
    ("MemorySwappiness", 100),
    ("Devices", [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}]),
    ("DeviceCgroupRules", ["a *:* rwm"]),
    ("Ulimits", [{"Name": "nofile", "Soft": 1, "Hard": 1}]),
    ("CgroupParent", "/"),
    ("Init", True),
    ("Memory", -1),
    ("Memory", 10**15),
    ("Memory", 268435456.0),
    ("Memory", "268435456"),
    ("Memory", 1),
    ("MemorySwap", -1),
    ("MemorySwap", 0),
    ("MemorySwap", 1 << 40),
    ("NanoCpus", -1),
    ("NanoCpus", 10**13),
    ("PidsLimit", -1),
    ("PidsLimit", 0),
    ("PidsLimit", 10**6),
    ("PidsLimit", None),
)


def networks(deployment: Deployment) -> Iterator[tuple[str, str, bytes]]:
    """What, name and body of create requests that join what is not theirs."""
    good = run_body(deployment, BOUNDS, owner=OWNER, place=PLACE).decode()
    for network in _FOREIGN_NETWORKS:
        body = good.replace(f'"container:{NET}"', json.dumps(network)).encode()
        for name in (STANDBY, *((NAME,) if network != "none" else ())):
            yield f"{name} joins {network}", name, body
    other = f"{OURS}standby-r-2-{SERIAL}"
    yield "a standby worker of another runner", other, good.encode()
    yield (
        "a standby worker labelled as another's",
        STANDBY,
        good.replace(f'runner":"{OWNER}"', 'runner":"r-2"').encode(),
    )
    yield "a run labelled as another's", NAME, good.replace(f'runner":"{OWNER}"', 'runner":"r-2"').encode()
    pause = pause_body(deployment, Closing(), owner=OWNER).decode()
    yield "a pause container of another runner", f"{OURS}net-r-2-{PLACE}", pause.encode()
    entry = json.dumps(json.loads(pause)["Entrypoint"], separators=(",", ":"))
    for command in (["sh"], ["python3"], ["sleep"], ["sh", "-c"], ["nft"], ["sh", "-c", "id"]):
        other = json.dumps(command, separators=(",", ":"))
        yield f"a pause container with {command}", NET, pause.replace(entry, other).encode()
    for does in ("id; while", "while read word; do $word; done; while", "exec python3; while"):
        yield f"a pause container that does {does}", NET, pause.replace("while", does, 1).encode()
    for place, most in enumerate((MAX_TARGETS, MAX_TARGETS + MAX_ADDRESSES, MAX_TARGETS)):
        for what in (*_NO_CONDITIONS, ";".join(["ip daddr 10.0.0.0/8"] * (most + 1))):
            printed = ["", "", ""]
            printed[place] = what
            rest = json.dumps(["1", *printed], separators=(",", ":"))[1:]
            yield f"a pause container that is told {what}", NET, pause.replace('"1","","",""]', rest).encode()
    for capability in ("NET_RAW", "SYS_ADMIN", "NET_BIND_SERVICE", "ALL"):
        more = pause.replace('"NET_ADMIN",', f'"NET_ADMIN","{capability}",').encode()
        yield f"a pause container with {capability}", NET, more
        given = good.replace('"CapDrop"', f'"CapAdd":["{capability}"],"CapDrop"').encode()
        yield f"a run with {capability}", NAME, given
    yield (
        "a run with a pause container's power",
        NAME,
        good.replace('"CapDrop"', '"CapAdd":["NET_ADMIN"],"CapDrop"').encode(),
    )
    yield "a run as root", NAME, re.sub(r'"User":"[^"]*"', '"User":"0:0"', good).encode()


def updates(version: str) -> Iterator[tuple[str, str, bytes]]:
    """What, target and body of update requests that must be refused."""
    at, good = f"/v{version}/containers", update_body(BOUNDS).decode()
    template = json.loads(good)

    def dump(value: object) -> bytes:
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    for key, value in _LOOSE:
        target = f"{at}/{NAME}/update"
        yield f"{key}={value}", target, dump({**template, key: value})
        yield f"{key.lower()} besides", target, f'{good[:-1]},"{key.lower()}":{json.dumps(value)}}}'.encode()
        yield f"{key} doubled", target, f'{good[:-1]},"{key}":{json.dumps(value)}}}'.encode()
        yield f"{key} alone", target, dump({key: value})
    for name in (STANDBY, NET, "gateway", "a" * 64, f"{OURS}prepare-{'0' * 32}", f"{NAME}x", f"{NAME}/../gateway"):
        yield f"of {name}", f"{at}/{name}/update", good.encode()
    for target in (f"{at}/{NAME}/update?x=1", f"{at}/{NAME}/update/", f"{at}/{NAME}/Update", f"{at}//{NAME}/update"):
        yield target, target, good.encode()
    for what, body in (
        ("empty", b""),
        ("nothing", b"{}"),
        ("twice", (good * 2).encode()),
        ("a blank", good.replace(":", ": ", 1).encode()),
        ("a line feed behind", f"{good}\n".encode()),
        ("a NUL behind", f"{good}\0".encode()),
        ("a create request", run_body(Deployment(installation=INSTALLATION), Bounds(), owner=OWNER)),
        ("swap is more", good.replace('p":2', 'p":9').encode()),
    ):
        yield what, f"{at}/{NAME}/update", body


def renames(version: str) -> Iterator[str]:
    """Targets of rename requests that must be refused."""
    at = f"/v{version}/containers"
    for source in (
        "gateway",
        "a" * 64,
        "a" * 12,
        NAME,
        NET,
        f"{OURS}prepare-{'0' * 32}",
        f"{OURS}stage-{'0' * 32}",
        f"{STANDBY}x",
        f"x{STANDBY}",
        f"/{STANDBY}",
        STANDBY.upper(),
        f"{STANDBY}/../gateway",
        f"{STANDBY}%2f..%2fgateway",
    ):
        yield f"{at}/{source}/rename?name={OTHER_RUN}"
    for target in (
        "gateway",
        "",
        NET,
        STANDBY,
        f"{OURS}standby-{OWNER}-{PLACE}",
        f"{OURS}prepare-{'0' * 32}",
        f"{NAME}x",
        NAME[:-1],
        f"{NAME}&name=gateway",
        f"gateway&name={NAME}",
        f"{NAME}%00",
        f"{NAME}#",
        f"{NAME}/..",
        NAME.upper(),
        f"%66{NAME[1:]}",
    ):
        yield f"{at}/{STANDBY}/rename?name={target}"
    yield f"{at}/{STANDBY}/rename"
    yield f"{at}/{STANDBY}/rename?Name={NAME}"
    yield f"{at}/{STANDBY}/rename?name={NAME}&x=1"
