"""What the entry program is told: its orders for each mode, as the bytes that go over its standard input."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from fastflow_events.aggregates.run.manifest import Manifest
from fastflow_events.aggregates.run.specification import NOTEBOOK_PACKAGES, Specification
from fastflow_events.ids import environment_id
from fastflow_events.message import Statement, all_beside
from msgspec import Raw, json

from fastflow_runner.core.attempt_paths import STATE_FOLDER, AttemptPaths
from fastflow_runner.core.bounds import Room
from fastflow_runner.core.marks import Fetched
from fastflow_runner.core.program import argv_of, file_of, jit_env
from fastflow_runner.core.shortfalls import TooLong, TooLongAnyway
from fastflow_runner.entry.credentials import apart
from fastflow_runner.entry.sealed import seal
from fastflow_runner.ports import Launch, Prepared

_NO_ROOM = Room()


def input_name(specification: Specification, lock: str | None, builder: str) -> str:
    """Name of everything an environment is made from; `builder` names what makes it. 32 hex digits."""
    wanted = specification.requirements
    content = wanted.sha256 or sha256(wanted.text.encode()).hexdigest()
    added = NOTEBOOK_PACKAGES if specification.kind == "notebook" else ()
    return environment_id(builder, specification.python, wanted.source, content, lock=lock or "", added=added)


def of_generation(builder: str, lock: str | None, generation: int) -> str:
    """The builder, marked where what it resolved before a refresh does not count any more."""
    return f"{builder} generation {generation}" if lock is None and generation else builder


def took_too_long(within_s: float | None) -> Statement:
    """What is said of what was ended because it took longer than it may."""
    return TooLong(within_s) if within_s else TooLongAnyway()


def run_order(
    launch: Launch,
    paths: AttemptPaths,
    manifest: Manifest,
    *,
    grace_s: float,
    room: Room = _NO_ROOM,
    sealed: Mapping[str, str] | None = None,
) -> bytes:
    """Order of mode `run`; where no container has the limit of memory, each process is held to it.

    The entry program adds to the manifest what may be kept on the disk: only it sees that. `sealed` are trees that are
    looked at before anything of them is used, and the hashes of their manifests.
    """
    interpreter = launch.prepared.interpreter
    folder = interpreter.rpartition("/")[0]
    env = {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": paths.home,
        **({"TMPDIR": "/tmp"} if paths.contained else {}),
        "LANG": "C.UTF-8",
        **(jit_env(paths) if launch.specification.isolation == "jit" else {}),
        **({"VIRTUAL_ENV": folder.rpartition("/")[0]} if launch.prepared.lock else {}),
        **launch.env,
        "FASTFLOW_ROUTE_FILE": paths.route_file,
        "FASTFLOW_RESULT_FILE": paths.result_file,
        "FASTFLOW_ARTIFACTS_DIR": paths.artifacts,
    }
    order = {
        "nonce": launch.nonce,
        "not_after": launch.not_after.timestamp(),
        "code": paths.code,
        "app": paths.app,
        "leave_out": STATE_FOLDER,
        "state": paths.state,
        "artifacts": paths.artifacts,
        "route_file": paths.route_file,
        "result_file": paths.result_file,
        "patterns": launch.specification.artifacts,
        "keep": launch.keep,
        "argv": argv_of(launch, paths, grace_s),
        "progress": paths.progress_file if launch.specification.kind == "notebook" else "",
        "env": env,
        "timeout_s": launch.specification.timeout_s or None,
        "grace_s": grace_s,
        "data_bytes": 0 if paths.contained else manifest.memory_bytes or 0,
        "disk": {
            "folder": paths.app if paths.contained else paths.app.rpartition("/")[0],
            "most_bytes": room.of(launch.specification.limits),
            "share": room.share,
        },
        "cache": paths.cache if launch.specification.isolation == "jit" else "",
        "output_bytes": launch.specification.limits.output_bytes,
        "spool": paths.spool,
        "contained": paths.contained,
        "manifest": manifest,
        "sealed": sealed or {},
    }
    return seal(json.encode(order))


def jit_prepared(specification: Specification, uv: str, version: str = "") -> Prepared:
    """What stands for the environment of an attempt that installs for itself: uv, which is at `uv`."""
    return Prepared(environment="jit", interpreter=uv, python=specification.python, uv=version)


def _wanted(specification: Specification, lock: str | None, code: str) -> dict[str, object]:
    """What packages are wanted; `code` is where the pipeline's folder is staged."""
    wanted = specification.requirements
    return {
        "python": specification.python,
        "source": wanted.source,
        "text": wanted.text,
        "sha256": wanted.sha256,
        "leans": wanted.source != "none" and sha256(wanted.text.encode()).hexdigest() != wanted.sha256,
        "folder": code,
        "file": f"{code}/{file_of(specification)}",
        "lock": lock,
        "extra": NOTEBOOK_PACKAGES if specification.kind == "notebook" else (),
    }


def _held(room: Room) -> dict[str, object]:
    """How much of the disk whoever gets the order may take."""
    return {"disk": {"most_bytes": room.usual_bytes, "share": room.share}}


def prepare_order(
    specification: Specification,
    lock: str | None,
    *,
    root: str,
    uv: str,
    code: str,
    env: Mapping[str, str],
    key: str,
    wheels: bool = False,
) -> bytes:
    """Order of mode `prepare`; what it makes is sealed with the key.

    `env` holds uv's settings, credentials of package indexes included; with `wheels` comes the archive of a build,
    sealed, behind it.
    """
    about = {"root": root, "uv": uv, "env": dict(env), "key": key, "wheels": wheels}
    return seal(json.encode({**about, **_wanted(specification, lock, code)}))


def link_order(
    specification: Specification,
    lock: str | None,
    *,
    root: str,
    uv: str,
    code: str,
    env: Mapping[str, str],
    key: str,
    fetched: Fetched | None = None,
    built: bool = False,
) -> bytes:
    """The same without network and credentials, of wheels in the store; behind it an archive of those `fetched`."""
    about = {"root": root, "uv": uv, "env": apart(dict(env)).settings, "key": key, "alone": True}
    if fetched is not None:
        about["fetched"] = {"lock": fetched.lock, "there": fetched.there, "built": built}
    return seal(json.encode({**about, **_wanted(specification, lock, code)}))


def python_order(
    specification: Specification,
    *,
    root: str,
    uv: str,
    code: str,
    env: Mapping[str, str],
    key: str,
    room: Room = _NO_ROOM,
) -> bytes:
    """Order of mode `prepare` that has an interpreter installed, and nothing else."""
    about = {"root": root, "uv": uv, "env": apart(dict(env)).settings, "key": key, "only_python": True, **_held(room)}
    return seal(json.encode({**about, **_wanted(specification, None, code)}))


def fetch_order(
    specification: Specification,
    lock: str | None,
    *,
    root: str,
    shared: str,
    uv: str,
    code: str,
    env: Mapping[str, str],
    room: Room = _NO_ROOM,
) -> bytes:
    """Order of mode `fetch`, which writes below `root` and reads what is `shared`."""
    about = {
        "root": root,
        "out": f"{root}/out",
        "pythons": f"{shared}/python",
        "store": f"{shared}/wheels",
        "uv": uv,
        "env": dict(env),
        **_held(room),
    }
    return seal(json.encode({**about, **_wanted(specification, lock, code)}))


def delete_order(names: Sequence[str], *, root: str) -> bytes:
    """Order of mode `prepare` that deletes environments instead."""
    return seal(json.encode({"root": root, "delete": tuple(names)}))


def build_order(
    specification: Specification,
    lock: str | None,
    asked: bytes,
    *,
    root: str,
    uv: str,
    env: Mapping[str, str],
    whole: bool = False,
    room: Room = _NO_ROOM,
) -> bytes:
    """Order of mode `build`; `asked` is what was said that needs building. No credentials go there.

    With `whole` it leaves every wheel of the lock, not only those that it has built.
    """
    order = {
        "root": root,
        "out": f"{root}/out",
        "uv": uv,
        "python": specification.python,
        "asked": Raw(asked),
        "lock": lock,
        "env": apart(dict(env)).settings,
        **({"store": ""} if whole else {}),
        **_held(room),
    }
    return seal(json.encode(order))


def manifest_of(
    launch: Launch,
    *,
    executor: str,
    container: str,
    image: str = "",
    memory_bytes: int = 0,
    cpus: float = 0,
    remarks: tuple[Statement, ...] = (),
) -> Manifest:
    """Manifest of an attempt; 0 bytes of memory and 0 processors are no limit."""
    prepared = launch.prepared
    return Manifest(
        executor=executor,
        container=container,
        memory_bytes=memory_bytes or None,
        cpus=cpus or None,
        image=image,
        python=prepared.python,
        uv=prepared.uv,
        environment=prepared.environment,
        lock_sha256=sha256(prepared.lock.encode()).hexdigest() if prepared.lock else "",
        prepare_s=prepared.prepare_s,
        left_out={name: str(why) for name, why in launch.left_out.items()},
        left_out_messages={name: why.message for name, why in launch.left_out.items()},
        remarks=tuple(map(str, remarks)),
        remarks_messages=all_beside(remarks),
    )
