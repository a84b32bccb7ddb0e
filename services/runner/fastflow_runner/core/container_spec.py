"""Every word the runner says to the container engine: names, calls, and the bodies of its requests.

Nothing else in this service builds a path or a body, and the policy of the socket proxy is made from this module.

| form | name | network | shared volume | user | for |
|---|---|---|---|---|---|
| pause | `…net-<runner>-<place>` | runs | none | root | a network namespace that it closes, and holds for others |
| standby | `…standby-<runner>-<serial>` | a pause container's | read only | runs | one attempt, later |
| run | `…<run id>-<attempt>` | a pause container's | read only | runs | one attempt, now |
| cut | `…<run id>-<attempt>` | none | read only | runs | the same, of a pipeline that wants no network |
| jit | `…<run id>-<attempt>` | a pause container's | read only, and its pipeline's cache | runs | it installs |
| jit_cut | `…<run id>-<attempt>` | none | read only, and its pipeline's cache | runs | the same without a network |
| prepare | `…prepare-<hash of the input>` | none | writable | writer | one environment |
| python | `…python-<hash of the input>` | a pause container's | writable | writer | an interpreter |
| fetch | `…fetch-<hash of the input>` | a pause container's | read only | runs | a lock, and wheels |
| build | `…build-<hash of the input>` | a pause container's | none | runs | wheels of packages that come as sources |
| stage | `…stage-<name of the code>` | none | writable | writer | one tree of code |
| verify | `…verify-<by chance>` | none | read only | writer | to look through what is there |

The writer is a user that nothing of a package and no script ever has: what the shared volume holds belongs to it.
A standby worker is renamed when it gets its attempt, and is then what a run is in every respect. Only a pause container
has a capability: it closes its namespace with it, gives it up, and nothing of a run ever executes in it.
Each `…` is `fastflow-<installation>-`, as `names` has it.
"""

from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import force_setattr

from fastflow_runner.core.bounds import Bounds
from fastflow_runner.core.closing import CLOSED_CONDITIONS, CONDITIONS, Closing
from fastflow_runner.core.names import Names
from fastflow_runner.core.template import Slot, Template, fill
from fastflow_runner.core.traces import FILES

VERSIONS = ("1.44", "1.41")
"""Versions of the engine's API this runner speaks, newest first."""
BUILD_ROOT = "/app"
"""Where a build does its work: a volume that goes with its container."""
IMAGE = "[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}"
"""An image's name that means the same in a path, in a body and in the policy."""
NAME = "[A-Za-z0-9][A-Za-z0-9_.-]{0,254}"
"""The same for a network or a volume."""
RUN_UID = 61_100
"""User and group of runs where nobody chose another: no person has it, no package, and no service of systemd.

Of Debian's 60000 to 64999 none below 63434 is given away, and systemd begins at 61184.
Source: README of base-passwd 3.6; https://systemd.io/UIDS-GIDS
"""
MAX_UID = 2**32 - 3
"""The kernel has no larger one that means somebody, and the next but this belongs to us, too."""
ENTRY_FOLDER = "/usr/local/lib/fastflow/entry"
ENTRY = f'["python3","-I","{ENTRY_FOLDER}"]'

SHOW = f"while read word; do grep -s ^ {' '.join(FILES)}; echo $word; done; exec sleep infinity"
"""What a pause container does: for each line, it shows what its namespace tells, and then that line."""

_NAMES = Slot("names", "[01]")
_OPENED, _LISTED = (Slot(name, CONDITIONS) for name in ("opened", "listed"))
_CLOSED = Slot("closed", CLOSED_CONDITIONS)
_MEMORY = Slot("memory", "(?:0|[1-9][0-9]{6,14}+)")
_CPUS = Slot("cpus", "(?:0|[1-9][0-9]{6,12}+)")
_PIDS = Slot("pids", "[1-9][0-9]{0,5}+")
_GRACE = Slot("grace", "(?:0|[1-9][0-9]{0,4}+)")
_FOLLOW = Slot("follow", "[01]")
_UPDATE = ('{"Memory":', _MEMORY, ',"MemorySwap":', _MEMORY, ',"NanoCpus":', _CPUS, ',"PidsLimit":', _PIDS, "}")


class Call(Struct, frozen=True):
    """One kind of request; its path is written without the version in front."""

    method: str
    path: Template
    body: bool = False
    upgrade: bool = False


class Deployment(Struct, frozen=True, kw_only=True):
    """What one installation fixes for all its containers."""

    installation: str
    """Its id, as `names` has it."""
    image: str = "fastflow-worker:latest"
    network: str = "fastflow-runs"
    """Network of pause containers, and so of all that join one; the engine's own default is `bridge`."""
    volume: str = ""
    """Volume of code and environments; empty becomes the installation's own."""
    owner: str = ""
    """The only runner behind the proxy; empty where several share one."""
    uid: int = RUN_UID
    """User and group of whatever executes packages or scripts; what writes for them has the next one."""

    @property
    def writer(self) -> int:
        """User and group of what writes to the volume."""
        return self.uid + 1

    def __post_init__(self) -> None:
        """Name the volume."""
        force_setattr(self, "volume", self.volume or self.names.volume)

    @property
    def names(self) -> Names:
        """What its containers are called."""
        return Names(installation=self.installation, runner=self.owner)


def _of(form: Slot, rest: str) -> Template:
    return ("/containers/", form, rest)


def calls(deployment: Deployment) -> dict[str, Call]:
    """Every call there is, by the name the runner uses for it."""
    names = deployment.names
    name, run, owner = names.any, names.run, names.owner
    of = f'{{"label":["fastflow.installation={deployment.installation}","fastflow.%s='
    runs, tools = ((quote(of % kind, safe="."), owner, quote('"]}')) for kind in ("runner", "tool"))
    return {
        "ping": Call("GET", ("/_ping",)),
        "info": Call("GET", ("/info",)),
        "image": Call("GET", (f"/images/{deployment.image}/json",)),
        "list": Call("GET", ("/containers/json?all=1&filters=", *runs)),
        "tools": Call("GET", ("/containers/json?all=1&filters=", *tools)),
        "create": Call("POST", ("/containers/create?name=", name), body=True),
        "inspect": Call("GET", _of(name, "/json")),
        "attach": Call("POST", _of(name, "/attach?stdin=1&stdout=1&stream=1"), upgrade=True),
        "start": Call("POST", _of(name, "/start")),
        "rename": Call("POST", ("/containers/", *names.standby, "/rename?name=", run)),
        "update": Call("POST", _of(run, "/update"), body=True),
        "wait": Call("POST", _of(name, "/wait?condition=not-running")),
        "stop": Call("POST", (*_of(run, "/stop?t="), _GRACE)),
        "kill": Call("POST", _of(name, "/kill?signal=SIGKILL")),
        "logs": Call("GET", (*_of(name, "/logs?follow="), _FOLLOW, "&stderr=1&stdout=1&timestamps=1")),
        "stats": Call("GET", _of(name, "/stats?stream=1")),
        "kept": Call("GET", _of(run, "/archive?path=/app/.fastflow/kept")),
        "exit_marker": Call("GET", _of(run, "/archive?path=/app/.fastflow/exit.json")),
        "wheels": Call("GET", _of(names.source, f"/archive?path={BUILD_ROOT}/out")),
        "remove": Call("DELETE", _of(name, "?v=1")),
    }


class Form(Struct, frozen=True, kw_only=True):
    """One kind of request with a body: all that may differ between two of them is a slot."""

    name: Template
    """Name of the container."""
    body: Template
    """The keys of every object in alphabetical order."""


def create_forms(deployment: Deployment) -> dict[str, Form]:
    """Every form of create request there is."""
    names = deployment.names
    run, net = (names.run,), names.net
    joined: Template = ("container:", *net)
    shared = _shared(deployment, read_only=True)
    return {
        "pause": Form(name=net, body=_pause(deployment)),
        "standby": Form(name=names.standby, body=_worker(deployment, joined)),
        "run": Form(name=run, body=_worker(deployment, joined)),
        "cut": Form(name=run, body=_worker(deployment, ("none",))),
        "jit": Form(name=run, body=_worker(deployment, joined, cache=True)),
        "jit_cut": Form(name=run, body=_worker(deployment, ("none",), cache=True)),
        "prepare": Form(name=(names.tool("prepare"),), body=_tool(deployment, "prepare", "none")),
        "python": Form(name=(names.tool("python"),), body=_tool(deployment, "prepare", *joined)),
        "fetch": Form(name=(names.tool("fetch"),), body=_source(deployment, "fetch", joined, shared)),
        "build": Form(name=(names.tool("build"),), body=_source(deployment, "build", joined)),
        "stage": Form(name=(names.tool("stage"),), body=_tool(deployment, "stage", "none")),
        "verify": Form(name=(names.tool("verify"),), body=_tool(deployment, "verify", "none", read_only=True)),
    }


def update_form(deployment: Deployment) -> Form:
    """The one form of update request: 0 leaves a limit as it is, and nothing but these four can be said."""
    return Form(name=(deployment.names.run,), body=_UPDATE)


_OWN_VOLUME = '"Volumes":{"/app":{}},"WorkingDir":"/app"'
_TOOL_LIMITS = (str(4 << 30), "0", "512")
_SHM_BYTES = 1 << 40
"""Size of `/dev/shm`: what is in it counts as memory, so the limit of that is the one that matters."""


def _worker(deployment: Deployment, network: Template, *, cache: bool = False) -> Template:
    mounts: Template = (_shared(deployment, read_only=True),)
    if cache:
        own = deployment.names.cache
        mounts = ('{"ReadOnly":false,"Source":"', own, '","Target":"/cache","Type":"volume"},', *mounts)
    labels, limits = _label(deployment, "runner"), (_MEMORY, _CPUS, _PIDS)
    user = deployment.uid
    return _entry(deployment, "run", limits, network, labels, mounts=mounts, place=_OWN_VOLUME, user=user)


def _tool(deployment: Deployment, mode: str, *network: str | Slot, read_only: bool = False) -> Template:
    labels, mounts = _label(deployment, "tool"), (_shared(deployment, read_only=read_only),)
    place, user = '"WorkingDir":"/tmp"', deployment.writer
    return _entry(deployment, mode, _TOOL_LIMITS, network, labels, mounts=mounts, place=place, user=user)


def _source(deployment: Deployment, mode: str, network: Template, *mounts: str) -> Template:
    """What wheels come from; packages' own code runs in a builder, which sees no volume but its own."""
    labels, user = _label(deployment, "tool"), deployment.uid
    return _entry(deployment, mode, _TOOL_LIMITS, network, labels, mounts=mounts, place=_OWN_VOLUME, user=user)


def _shared(deployment: Deployment, *, read_only: bool) -> str:
    return f'{{"ReadOnly":{str(read_only).lower()},"Source":"{deployment.volume}","Target":"/uv","Type":"volume"}}'


def _label(deployment: Deployment, kind: str) -> Template:
    return (f'"fastflow.installation":"{deployment.installation}","fastflow.{kind}":"', deployment.names.owner, '"')


def _entry(
    deployment: Deployment,
    mode: str,
    limits: tuple[str | Slot, str | Slot, str | Slot],
    network: Template,
    labels: Template,
    *,
    mounts: Template,
    place: str,
    user: int,
) -> Template:
    """Body for a container with the entry program in it."""
    memory, cpus, pids = limits
    # A limit of the engine's own on log files would rotate lines away: the entry program has the cap.
    log = '"Config":{"compress":"false","max-file":"1","max-size":"1000g","mode":"blocking"},"Type":"json-file"'
    return (
        f'{{"AttachStdin":true,"Cmd":["{mode}"],"Entrypoint":{ENTRY},'
        '"HostConfig":{"AutoRemove":false,"CapDrop":["ALL"],"CgroupnsMode":"private","Init":false,'
        f'"IpcMode":"private","LogConfig":{{{log}}},"Memory":',
        memory,
        ',"MemorySwap":',
        memory,
        ',"Mounts":[',
        *mounts,
        '],"NanoCpus":',
        cpus,
        ',"NetworkMode":"',
        *network,
        '","PidsLimit":',
        pids,
        ',"ReadonlyRootfs":true,"RestartPolicy":{"Name":"no"},"SecurityOpt":["no-new-privileges"],'
        f'"ShmSize":{_SHM_BYTES},'
        '"Tmpfs":{"/tmp":"rw,exec,nosuid,nodev,mode=1777"}},'
        f'"Image":"{deployment.image}","Labels":{{',
        *labels,
        f'}},"OpenStdin":true,"StdinOnce":true,"User":"{user}:{user}",{place}}}',
    )


def _pause(deployment: Deployment) -> Template:
    """Body for a container that closes a network namespace and holds it, and shows it to whoever asks."""
    parts = (part for slot in (_NAMES, _OPENED, _CLOSED, _LISTED) for part in ('","', slot))
    return (
        f'{{"Cmd":["{SHOW}',
        *parts,
        f'"],"Entrypoint":["sh","{ENTRY_FOLDER}/closing.sh","{deployment.uid}"],'
        '"HostConfig":{"AutoRemove":false,"CapAdd":["NET_ADMIN","SETGID","SETUID"],"CapDrop":["ALL"],'
        '"CgroupnsMode":"private","IpcMode":"private",'
        '"LogConfig":{"Config":{},"Type":"none"},"Memory":16777216,"MemorySwap":16777216,'
        f'"NetworkMode":"{deployment.network}","PidsLimit":16,"ReadonlyRootfs":true,"RestartPolicy":{{"Name":"no"}},'
        f'"SecurityOpt":["no-new-privileges"]}},"Image":"{deployment.image}","Labels":{{',
        *_label(deployment, "runner"),
        '},"OpenStdin":true,"StopSignal":"SIGKILL","User":"0:0","WorkingDir":"/"}',
    )


def run_body(deployment: Deployment, bounds: Bounds, *, owner: str, place: str = "", cache: str = "") -> bytes:
    """Body of the create request of an attempt or a standby worker.

    `place` is that of its pause container: without one it has no network. With `cache`, the name of a volume, it
    installs for itself.
    """
    kinds = ("run", "cut", "jit", "jit_cut")
    form = create_forms(deployment)[kinds[2 * bool(cache) + (not place)]]
    return fill(form.body, {**_limits(bounds), "owner": owner, "place": place, "cache": cache}).encode()


def pause_body(deployment: Deployment, closing: Closing, *, owner: str) -> bytes:
    """Body of the create request of a pause container."""
    targets = {"opened": closing.opened, "closed": closing.closed, "listed": closing.listed}
    values = {**targets, "names": str(int(closing.names)), "owner": owner}
    return fill(create_forms(deployment)["pause"].body, values).encode()


def update_body(bounds: Bounds) -> bytes:
    """Body of the update request that gives an attempt its limits."""
    return fill(_UPDATE, _limits(bounds)).encode()


def tool_body(deployment: Deployment, mode: str, *, owner: str, place: str = "") -> bytes:
    """Body of the create request of a container that prepares or stages; `place` is where a connected one joins."""
    return fill(create_forms(deployment)[mode].body, {"owner": owner, "place": place}).encode()


def _limits(bounds: Bounds) -> dict[str, str]:
    return {"memory": str(bounds.memory_bytes), "cpus": str(bounds.nano_cpus), "pids": str(bounds.pids)}
