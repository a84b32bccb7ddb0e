"""`keys`, `size-store`, `deploy-streams`; `subject`, `run-id`: the bus, for who sets it up and for other systems."""

import os
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from fastflow_events import subjects
from fastflow_events.ids import run_id_of_trigger
from fastflow_events.nats.connection import connect
from fastflow_events.nats.keys import PUBLIC_FILE, make_keys, seed_path
from fastflow_events.nats.room import RoomSettings, store_on, write_store
from fastflow_events.nats.stream_info import created_at
from fastflow_events.nats.topology import TRIGGERS
from fastflow_events.service.settings import load

from fastflow_cli.console import progress, say, show, show_json, show_table
from fastflow_cli.exits import Exit
from fastflow_cli.local import bus
from fastflow_cli.options import HomeOption, Json


def keys(*, folder: Path, runner: list[str] | None = None, json: Json = False) -> int:
    """Make the keys of the bus that are missing: one seed per user, and accounts.conf for nats-server.

    Runners that have a key keep it and their account; one whose seed is deleted goes.

    Parameters
    ----------
    folder
        Where they go; it and the seeds become readable by their owner only.
    runner
        Name of another runner, each with a key and an account of its own; the first is runner-1 unless said.
    json
        For programs.
    """
    public = make_keys(folder, runners=runner or ())
    if json:
        show_json({"folder": str(folder), "public": dict(public)})
        return Exit.OK
    rows = [(user, key, str(seed_path(folder, user))) for user, key in public.items()]
    show_table(("user", "public key", "seed file"), rows, empty="")
    say(f"accounts for nats-server: {folder / PUBLIC_FILE}")
    return Exit.OK


async def deploy_streams(
    *,
    nats_url: str | None = None,
    seed_file: Path | None = None,
    json: Json = False,
) -> int:
    """Declare every stream and consumer; safe to repeat, and leaves stronger what somebody made stronger.

    How large streams may become follows from the store that nats-server was given, and from FASTFLOW_…_BYTES.

    Parameters
    ----------
    nats_url
        Server; else FASTFLOW_NATS_URL.
    seed_file
        The deployer's key; else FASTFLOW_NATS_SEED_FILE.
    json
        For programs.
    """
    settings = load(RoomSettings, os.environ)
    url = nats_url or settings.nats_url
    with progress(f"declaring streams on {url}"):
        seed = seed_file or settings.nats_seed_file
        changed = await bus.deploy_streams(url, seed, settings, store=settings.store())
    if json:
        show_json({"nats_url": url, "changed": changed})
        return Exit.OK
    for what in changed or ["everything is there already"]:
        show(what)
    return Exit.OK


def size_store(*, folder: Path, file: Path, json: Json = False) -> int:
    """Decide how much nats-server may store and write it where the server's configuration includes it.

    It is FASTFLOW_STORE_BYTES, else three quarters of the disk.

    Parameters
    ----------
    folder
        Where the server stores.
    file
        What to write; `deploy-streams` reads it too when FASTFLOW_STORE_FILE names it.
    json
        For programs.
    """
    size = store_on(folder, load(RoomSettings, os.environ).store_bytes)
    write_store(file, size)
    if json:
        show_json({"file": str(file), "store_bytes": size})
    else:
        show(f"nats-server may store {size / 1e9:.1f} GB")
    return Exit.OK


def subject(name: Annotated[str, Parameter(allow_leading_hyphen=True)], *, json: Json = False) -> int:
    """Print the subjects of a pipeline for other systems; any name becomes one subject token.

    Parameters
    ----------
    name
        A pipeline's name.
    json
        For programs.
    """
    token = subjects.encode(name)
    found = {
        "token": token,
        "trigger": subjects.trigger(name),
        "request": subjects.request(name),
        "facts": subjects.of_aggregate("pipeline", name),
    }
    if json:
        show_json(found)
    else:
        show(token)
        for what in ("trigger", "request", "facts"):
            say(f"{what:<8} {found[what]}")
    return Exit.OK


async def run_id(
    seq: int, *, home: HomeOption = None, nats_url: str | None = None, seed_file: Path | None = None, json: Json = False
) -> int:
    """Print the id of the run that a stored request becomes, from the sequence in its acknowledgement.

    Parameters
    ----------
    seq
        What the server answered when the request was published on fastflow.trigger.<pipeline>.
    home
        Folder of an installation on this machine.
    nats_url
        Server; else FASTFLOW_NATS_URL, else that of the installation on this machine.
    seed_file
        A key of another system (external.nk); else FASTFLOW_NATS_SEED_FILE, else that of the installation here.
    json
        For programs.
    """
    settings = bus.settings_of("external", home, nats_url, seed_file)
    async with connect(settings, f"run-id-{os.getpid()}") as nc:
        created = await created_at(nc, TRIGGERS)
    found = run_id_of_trigger(TRIGGERS, created, seq)
    if json:
        show_json({"id": found, "stream": TRIGGERS, "created": created, "seq": seq})
    else:
        show(found)
    return Exit.OK
