"""What somebody who took the runner over would ask the engine for: raw requests, each of which must be refused."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import Closing
from fastflow_runner.core.container_spec import Deployment, pause_body, run_body

INSTALLATION = "0a1b2c3d"
OURS = f"fastflow-{INSTALLATION}-"
NAME = f"{OURS}0192f0c1-7b1e-7c3a-9d2e-0123456789ab-1"
OWNER = "r-1"
PLACE, SERIAL = "0f1e2d3c", "4e5f6071"
NET, STANDBY = f"{OURS}net-{OWNER}-{PLACE}", f"{OURS}standby-{OWNER}-{SERIAL}"
BOUNDS = Bounds(memory_bytes=1 << 28, nano_cpus=10**9, pids=512)
_HOST: tuple[tuple[str, Any], ...] = (
    ("Privileged", True),
    ("Binds", ["/:/host"]),
    ("Binds", ["/var/run/docker.sock:/s"]),
    ("Mounts", [{"Type": "bind", "Source": "/", "Target": "/host"}]),
    (
        "Mounts",
        [
            {
                "Type": "volume",
                "Source": "x",
                "Target": "/host",
                "VolumeOptions": {"DriverConfig": {"Name": "local", "Options": {"o": "bind", "device": "/"}}},
            }
        ],
    ),
    ("Mounts", [{"ReadOnly": False, "Source": f"{OURS}uv", "Target": "/uv", "Type": "volume"}]),
    ("NetworkMode", "host"),
    ("NetworkMode", "container:gateway"),
    ("PidMode", "host"),
    ("PidMode", "container:gateway"),
    ("IpcMode", "host"),
    ("UTSMode", "host"),
    ("UsernsMode", "host"),
    ("CgroupnsMode", "host"),
    ("CgroupParent", "/"),
    ("CapAdd", ["SYS_ADMIN"]),
    ("CapDrop", []),
    ("SecurityOpt", ["seccomp=unconfined"]),
    ("SecurityOpt", ["apparmor=unconfined", "no-new-privileges"]),
    ("Devices", [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}]),
    ("DeviceCgroupRules", ["a *:* rwm"]),
    ("DeviceRequests", [{"Count": -1, "Capabilities": [["gpu"]]}]),
    ("VolumesFrom", ["gateway"]),
    ("VolumeDriver", "local"),
    ("Sysctls", {"kernel.msgmax": "1"}),
    ("Runtime", "other"),
    ("ReadonlyRootfs", False),
    ("MaskedPaths", []),
    ("ReadonlyPaths", []),
    ("PortBindings", {"80/tcp": [{"HostPort": "80"}]}),
    ("PublishAllPorts", True),
    ("ExtraHosts", ["a:1.2.3.4"]),
    ("Links", ["gateway:g"]),
    ("GroupAdd", ["0"]),
    ("OomScoreAdj", -1000),
    ("OomKillDisable", True),
    ("AutoRemove", True),
    ("RestartPolicy", {"Name": "always"}),
    ("Init", True),
    ("ShmSize", 1 << 50),
    ("PidsLimit", -1),
    ("PidsLimit", 0),
    ("Memory", -1),
    ("MemorySwap", -1),
    ("NanoCpus", -1),
    ("Tmpfs", {"/tmp": "rw", "/uv": "rw"}),
    ("LogConfig", {"Type": "syslog", "Config": {"syslog-address": "tcp://10.0.0.1:1"}}),
    ("Ulimits", [{"Name": "nofile", "Soft": 1, "Hard": 1}]),
    ("ContainerIDFile", "/x"),
)
_TOP: tuple[tuple[str, Any], ...] = (
    ("Image", "alpine"),
    ("Image", "fastflow-worker:latest@sha256:" + "0" * 64),
    ("Image", "fastflow-worker"),
    ("User", "0"),
    ("User", ""),
    ("Env", ["LD_PRELOAD=/tmp/x.so"]),
    ("Cmd", ["-c", "id"]),
    ("Cmd", ["prepare"]),
    ("Entrypoint", ["sh"]),
    ("Entrypoint", None),
    ("Healthcheck", {"Test": ["CMD", "id"]}),
    ("Volumes", {"/etc": {}}),
    ("WorkingDir", "/"),
    ("ExposedPorts", {"80/tcp": {}}),
    ("Labels", {"com.docker.compose.project": "fastflow"}),
    ("NetworkingConfig", {"EndpointsConfig": {"bus": {}}}),
    ("MacAddress", "02:42:ac:11:00:02"),
    ("Hostname", "x"),
    ("Tty", True),
    ("StopSignal", "SIGKILL"),
    ("OnBuild", ["RUN id"]),
    ("Privileged", True),
    ("Binds", ["/:/host"]),
    ("HostConfig", {}),
)


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def bodies(deployment: Deployment) -> Iterator[tuple[str, str, bytes]]:
    """What, name and body of create requests that no policy of ours lets through."""
    alone = run_body(deployment, BOUNDS, owner=OWNER).decode()
    joined = run_body(deployment, BOUNDS, owner=OWNER, place=PLACE).decode()
    pause = pause_body(deployment, Closing(), owner=OWNER).decode()
    for name, good in ((NAME, alone), (NAME, joined), (STANDBY, alone), (STANDBY, joined), (NET, pause)):
        for what, body in _changed(good):
            if body != good.encode():
                yield f"{name}: {what}", name, body
    for name, good in ((NET, alone), (NET, joined), (NAME, pause), (STANDBY, pause), (STANDBY, alone)):
        yield "a body under another kind of name", name, good.encode()


def _changed(good: str) -> Iterator[tuple[str, bytes]]:
    template = json.loads(good)
    for key, value in _HOST:
        changed = deepcopy(template)
        changed["HostConfig"][key] = value
        yield f"HostConfig.{key}={value}", _dump(changed).encode()
        for spelt in (key.lower(), key.upper(), key.replace("s", "\u017f").replace("k", "\u212a")):
            if spelt != key:
                yield (
                    f"HostConfig.{spelt}",
                    good.replace('"HostConfig":{', f'"HostConfig":{{"{spelt}":{_dump(value)},').encode(),
                )
        escaped = f"\\u{ord(key[0]):04x}{key[1:]}"
        yield (
            f"HostConfig.{escaped}",
            good.replace('"HostConfig":{', f'"HostConfig":{{"{escaped}":{_dump(value)},').encode(),
        )
        yield f"top {key}", (good[:-1] + f',"{key}":{_dump(value)}}}').encode()
        yield f"second HostConfig.{key}", (good[:-1] + f',"HostConfig":{_dump({key: value})}}}').encode()
        yield f"hostconfig.{key}", (good[:-1] + f',"hostconfig":{_dump({key: value})}}}').encode()
    for key, value in _TOP:
        yield f"{key}={value}", _dump({**template, key: value}).encode()
        yield f"doubled {key}", (good[:-1] + f',"{key}":{_dump(value)}}}').encode()
    yield from _shapes(good)


def _shapes(good: str) -> Iterator[tuple[str, bytes]]:
    evil = _dump({"Image": "fastflow-worker:latest", "HostConfig": {"Binds": ["/:/host"]}})
    yield "evil alone", evil.encode()
    yield "evil first", (evil + good).encode()
    yield "evil second", (good + evil).encode()
    yield "line feed behind", (good + "\n").encode()
    yield "NUL behind", (good + "\0" + evil).encode()
    yield "NUL inside", good.replace(f'"{OWNER}"', f'"{OWNER}\0"').encode()
    yield "blanks in front", (" " * 20_000 + good).encode()
    yield "evil behind much", (good[:-1] + " " * 20_000 + ',"HostConfig":{"Privileged":true}}').encode()
    yield "byte order mark", b"\xef\xbb\xbf" + good.encode()
    yield "UTF-16", good.encode("utf-16")
    yield "invalid UTF-8", good.replace(f'"{OWNER}"', '"ab').encode() + b'\xff"'
    yield "array", f"[{good}]".encode()
    yield "empty", b""
    yield "two values", good.replace('"MemorySwap":268435456', '"MemorySwap":-1').encode()
    yield "exponent", good.replace("268435456", "2.68435456e8").encode()
    yield "huge", b"{" + b" " * 1_000_000 + good.encode()[1:]


def paths(version: str) -> Iterator[tuple[str, str]]:
    """Method and target of requests without a body that must be refused."""
    at = f"/v{version}"
    ours = f"{at}/containers/{NAME}"
    for target in (
        "/_ping", "/containers/json", "/v1.20/containers/x/start", f"/v1.24/containers/{NAME}/json", "/", "*", at,
        f"{at}/containers/json", f"{at}/containers/json?all=1", f"{at}/containers/json?all=1&filters=%7B%7D",
        f"{at}/images/json", f"{at}/images/alpine/json", f"{at}/volumes", f"{at}/networks", f"{at}/events",
        f"{at}/secrets", f"{at}/swarm", f"{at}/nodes", f"{at}/plugins", f"{at}/system/df", f"{at}/version",
        f"{at}/containers/gateway/json", f"{at}/containers/{'a' * 64}/json", f"{at}/containers/{'a' * 12}/top",
        f"{at}/containers/{NAME[:-2]}/json", f"{at}/containers/{NAME}x/json", f"{at}/containers/x{NAME}/json",
        f"{at}/containers//{NAME}/json", f"/{at}/containers/{NAME}/json", f"{ours}/../gateway/json",
        f"{ours}/%2e%2e/gateway/json", f"{ours}%2f..%2fgateway/json", f"{ours}/json/", f"{ours}/json?x=1",
        f"{ours}/json#x", f"{ours}%00/json", f"{ours}/JSON", f"{at.upper()}/containers/{NAME}/json", f"{ours}/json;x",
        f"{ours}/top", f"{ours}/export", f"{ours}/changes", f"{ours}/attach/ws", f"{ours}/stats",
        f"{ours}/archive?path=/", f"{ours}/archive?path=/app/.fastflow/exit.json&path=/",
        f"{ours}/archive?path=/app/.fastflow/exit.json/../../..", f"{ours}/archive?path=%2Fetc%2Fpasswd",
        f"{ours}/logs?follow=2&stderr=1&stdout=1&timestamps=1", f"{ours}/logs?follow=1",
        f"http://engine{ours}/json", f"http://engine{at}/containers/gateway/json",
    ):  # fmt: skip
        yield "GET", target
    for target in (
        f"{ours}/exec", f"{at}/exec/{'a' * 64}/start", f"{ours}/rename?name=gateway", f"{ours}/update", f"{ours}/pause",
        f"{ours}/unpause", f"{ours}/restart", f"{ours}/resize?h=1&w=1", f"{ours}/kill", f"{ours}/kill?signal=SIGTERM",
        f"{ours}/stop", f"{ours}/stop?t=-1", f"{ours}/stop?t=5&signal=SIGKILL", f"{ours}/start?detachKeys=a",
        f"{ours}/start?checkpoint=x", f"{at}/containers/gateway/start", f"{at}/containers/gateway/stop?t=0",
        f"{ours}/wait?condition=removed", f"{at}/containers/create", f"{at}/containers/create?name={NAME}",
        f"{at}/containers/prune", f"{at}/build", f"{at}/build/prune", f"{at}/images/create?fromImage=alpine",
        f"{at}/images/load", f"{at}/images/prune", f"{at}/images/fastflow-worker:latest/tag?repo=x", f"{at}/commit",
        f"{at}/volumes/create", f"{at}/volumes/prune", f"{at}/networks/create", f"{at}/networks/bus/connect",
        f"{at}/swarm/init", f"{at}/services/create", f"{at}/plugins/pull", f"{at}/session", f"{at}/auth", f"{at}/grpc",
        f"{ours}/attach?stdin=1&stdout=1&stream=1", f"{ours}/attach?stdin=1",
    ):  # fmt: skip
        yield "POST", target
    for target in (
        ours, f"{ours}?force=1", f"{ours}?v=1&force=1", f"{ours}?v=1&link=1", f"{at}/containers/gateway?v=1",
        f"{at}/images/fastflow-worker:latest", f"{at}/volumes/{OURS}uv", f"{at}/networks/bus",
    ):  # fmt: skip
        yield "DELETE", target
    for method in ("HEAD", "PUT", "PATCH", "OPTIONS", "CONNECT", "TRACE", "get", "GETX"):
        yield method, f"{ours}/json"
    yield "PUT", f"{ours}/archive?path=/app"
    yield "HEAD", f"{ours}/archive?path=/app/.fastflow/exit.json"
