"""Every word the runner says to the container engine: names, calls, and the bodies of the create requests.

Nothing else in this service builds a path or a body, and the policy of the socket proxy is made from this module.

| form | name | network | shared volume | for |
|---|---|---|---|---|
| run | `fastflow-<run id>-<attempt>` | runs | read only | one attempt |
| prepare | `fastflow-prepare-<hash of the input>` | runs | writable | one environment |
| stage | `fastflow-stage-<name of the code>` | none | writable | one tree of code |
"""

from math import ceil
from urllib.parse import quote

from fastflow_events.run.specification import Limits
from msgspec import Struct

from fastflow_runner.ports import AttemptRef
from fastflow_runner.template import Slot, Template, fill

VERSIONS = ("1.44", "1.41")
"""Versions of the engine's API this runner speaks, newest first."""
ENTRY = '["python3","-I","/usr/local/lib/fastflow/entry"]'
MIN_MEMORY_BYTES = 6 << 20  # the engine refuses less

_HEX = "[0-9a-f]"
RUN_NAME = Slot("run", f"fastflow-{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}-[1-9][0-9]{{0,5}}+")
PREPARE_NAME = Slot("prepare", f"fastflow-prepare-{_HEX}{{32}}")
STAGE_NAME = Slot("stage", f"fastflow-stage-{_HEX}{{32}}")
ANY_NAME = Slot("name", f"(?:{RUN_NAME.pattern}|{PREPARE_NAME.pattern}|{STAGE_NAME.pattern})")
OWNER = Slot("owner", "[A-Za-z0-9][A-Za-z0-9_.-]{0,63}+")
_NONCE = Slot("nonce", "[A-Za-z0-9_-]{1,64}+")
_MEMORY = Slot("memory", "(?:0|[1-9][0-9]{6,14}+)")
_CPUS = Slot("cpus", "(?:0|[1-9][0-9]{6,12}+)")
_PIDS = Slot("pids", "[1-9][0-9]{0,5}+")
_GRACE = Slot("grace", "(?:0|[1-9][0-9]{0,4}+)")
_FOLLOW = Slot("follow", "[01]")


class Call(Struct, frozen=True):
    """One kind of request; its path is written without the version in front."""

    method: str
    path: Template
    body: bool = False
    upgrade: bool = False


class Deployment(Struct, frozen=True, kw_only=True):
    """What one installation fixes for all its containers."""

    image: str = "fastflow-worker:latest"
    network: str = "fastflow-runs"
    """Network of runs and of preparation; the engine's own default is `bridge`."""
    volume: str = "fastflow-uv"


def _of(form: Slot, rest: str) -> Template:
    return ("/containers/", form, rest)


def calls(deployment: Deployment) -> dict[str, Call]:
    """Every call there is, by the name the runner uses for it."""
    filters = quote('{"label":["fastflow.runner=', safe="."), OWNER, quote('"]}')
    return {
        "ping": Call("GET", ("/_ping",)),
        "info": Call("GET", ("/info",)),
        "image": Call("GET", (f"/images/{deployment.image}/json",)),
        "list": Call("GET", ("/containers/json?all=1&filters=", *filters)),
        "create": Call("POST", ("/containers/create?name=", ANY_NAME), body=True),
        "inspect": Call("GET", _of(ANY_NAME, "/json")),
        "attach": Call("POST", _of(ANY_NAME, "/attach?stdin=1&stdout=1&stream=1"), upgrade=True),
        "start": Call("POST", _of(ANY_NAME, "/start")),
        "wait": Call("POST", _of(ANY_NAME, "/wait?condition=not-running")),
        "stop": Call("POST", (*_of(RUN_NAME, "/stop?t="), _GRACE)),
        "kill": Call("POST", _of(ANY_NAME, "/kill?signal=SIGKILL")),
        "logs": Call("GET", (*_of(ANY_NAME, "/logs?follow="), _FOLLOW, "&stderr=1&stdout=1&timestamps=1")),
        "exit_marker": Call("GET", _of(RUN_NAME, "/archive?path=/app/.fastflow/exit.json")),
        "remove": Call("DELETE", _of(ANY_NAME, "?v=1")),
    }


class Form(Struct, frozen=True, kw_only=True):
    """One kind of container: all that may differ between two of them is a slot."""

    mode: str
    """Mode of the entry program."""
    name: Slot
    network: str
    labels: Template
    read_only: bool = False
    """The shared volume is."""
    memory: str | Slot = str(4 << 30)
    cpus: str | Slot = "0"
    pids: str | Slot = "512"
    place: str = '"WorkingDir":"/tmp"'

    def body(self, deployment: Deployment) -> Template:
        """Body of the create request; the keys of every object in alphabetical order."""
        mount = (
            f'"ReadOnly":{str(self.read_only).lower()},"Source":"{deployment.volume}","Target":"/uv","Type":"volume"'
        )
        # A limit of the engine's own on log files would rotate lines away: the entry program has the cap.
        log = '"Config":{"compress":"false","max-file":"1","max-size":"1000g","mode":"blocking"},"Type":"json-file"'
        return (
            f'{{"AttachStdin":true,"Cmd":["{self.mode}"],"Entrypoint":{ENTRY},'
            '"HostConfig":{"AutoRemove":false,"CapDrop":["ALL"],"CgroupnsMode":"private","Init":true,'
            f'"IpcMode":"private","LogConfig":{{{log}}},"Memory":',
            self.memory,
            ',"MemorySwap":',
            self.memory,
            f',"Mounts":[{{{mount}}}],"NanoCpus":',
            self.cpus,
            f',"NetworkMode":"{self.network}","PidsLimit":',
            self.pids,
            ',"ReadonlyRootfs":true,"RestartPolicy":{"Name":"no"},"SecurityOpt":["no-new-privileges"],'
            '"Tmpfs":{"/tmp":"rw,exec,nosuid,nodev,mode=1777"}},'
            f'"Image":"{deployment.image}","Labels":{{',
            *self.labels,
            f'}},"OpenStdin":true,"StdinOnce":true,"User":"1001:1001",{self.place}}}',
        )


def create_forms(deployment: Deployment) -> dict[str, Form]:
    """Every form of create request there is."""
    tool: Template = ('"fastflow.tool":"', OWNER, '"')
    return {
        "run": Form(
            mode="run",
            name=RUN_NAME,
            network=deployment.network,
            labels=('"fastflow.nonce":"', _NONCE, '","fastflow.runner":"', OWNER, '"'),
            read_only=True,
            memory=_MEMORY,
            cpus=_CPUS,
            pids=_PIDS,
            place='"Volumes":{"/app":{}},"WorkingDir":"/app"',
        ),
        "prepare": Form(mode="prepare", name=PREPARE_NAME, network=deployment.network, labels=tool),
        "stage": Form(mode="stage", name=STAGE_NAME, network="none", labels=tool),
    }


def run_name(ref: AttemptRef) -> str:
    """Name of the attempt's container."""
    return fill((RUN_NAME,), {"run": ref.name})


def run_body(deployment: Deployment, limits: Limits, *, owner: str, nonce: str, host_cpus: int) -> bytes:
    """Body of the create request of an attempt; more processors than the host has are as many as it has."""
    memory = max(limits.memory_bytes, MIN_MEMORY_BYTES) if limits.memory_bytes else 0
    cpus = ceil(min(limits.cpus, host_cpus) * 100) * 10_000_000 if limits.cpus else 0
    values = {"memory": str(memory), "cpus": str(cpus), "pids": str(limits.pids), "owner": owner, "nonce": nonce}
    return fill(create_forms(deployment)["run"].body(deployment), values).encode()


def tool_body(deployment: Deployment, mode: str, *, owner: str) -> bytes:
    """Body of the create request of a container that prepares or stages."""
    return fill(create_forms(deployment)[mode].body(deployment), {"owner": owner}).encode()
