"""`secret set|list|remove|rotate-key`, `seal`: values are sealed on this machine and travel sealed."""

import base64
import os
import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from fastflow_events import sealing
from fastflow_events.errors import ContractError
from fastflow_events.sealing import Purpose
from fastflow_events.service.sealing_keys import FILE_NAME, add_key

from fastflow_cli.client import Gateway, gateway, segment
from fastflow_cli.console import say, show, show_json, show_table
from fastflow_cli.errors import RefusedError, UsageError
from fastflow_cli.exits import Exit
from fastflow_cli.formatting import instant
from fastflow_cli.home import find_home
from fastflow_cli.locate import gateway_url
from fastflow_cli.options import HomeOption, Json, Where

HERE = Where()
TRIES = 5
TOO_SHORT_BYTES = 4
File = Annotated[Path | None, Parameter(name=("--file", "-f"))]


async def set_secret(name: str, *, file: File = None, where: Where = HERE, json: Json = False) -> int:
    """Give a secret a value, read from standard input; runs that name it get it as an environment variable.

    Parameters
    ----------
    name
        Name of the variable; pipelines ask for it by "secrets" in their pipeline.json.
    file
        Read the value from this file. One newline at its end is not part of the value.
    json
        For programs.
    """
    value = read_value(name, file)
    async with gateway(gateway_url(where, os.environ)) as door:
        key = await public_key(door)
        for left in reversed(range(TRIES)):
            version = await next_version(door, name)
            body = {"sealed": sealed(key, sealing.for_secret(name, version), value), "version": version}
            try:
                accepted = await door.put(f"/api/secrets/{segment(name)}", body)
            except RefusedError:
                if not left or await next_version(door, name) == version:
                    raise
            else:
                break
    if json:
        show_json(accepted)
    else:
        say(f"secret {name} has version {accepted['version']}; runs that start from now on get it")
    return Exit.OK


async def list_secrets(*, where: Where = HERE, json: Json = False) -> int:
    """List the secrets there are; nobody can see their values.

    Parameters
    ----------
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        found = (await door.get("/api/secrets"))["items"]
        current = (await public_key_answer(door))["key_id"] if found and not json else ""
    if json:
        show_json({"items": found})
        return Exit.OK
    rows = [
        (s["name"], str(s["version"]), instant(s["set_at"]), s["who"], "" if s["key_id"] == current else "an older one")
        for s in found
    ]
    show_table(("secret", "version", "set", "by", "sealed for"), rows, empty="no secrets yet: fastflow secret set NAME")
    return Exit.OK


async def remove_secret(name: str, *, where: Where = HERE, json: Json = False) -> int:
    """Grant a secret to no run any more; runs that have started keep it.

    Parameters
    ----------
    name
        Its name.
    json
        For programs.
    """
    async with gateway(gateway_url(where, os.environ)) as door:
        accepted = await door.delete(f"/api/secrets/{segment(name)}")
    if json:
        show_json(accepted)
    else:
        say(f"secret {name} is removed")
    return Exit.OK


def rotate_key(*, file: Path | None = None, home: HomeOption = None, json: Json = False) -> int:
    """Add a new sealing key to the runners' file; older ones stay, so what they sealed can still be opened.

    Parameters
    ----------
    file
        The file; else the one of the installation on this machine.
    home
        Folder of an installation on this machine; else FASTFLOW_HOME, else the user's data folder.
    json
        For programs.
    """
    path = file or find_home(home, os.environ).path / "runner" / FILE_NAME
    key_id = add_key(path)
    if json:
        show_json({"file": str(path), "key_id": key_id})
        return Exit.OK
    show(key_id)
    say("restart the runners: the first one publishes the new key; then set the secrets again")
    return Exit.OK


async def seal(
    pipeline: str,
    name: str,
    *,
    file: File = None,
    public_key_base64: Annotated[str | None, Parameter(name="--public-key")] = None,
    where: Where = HERE,
    json: Json = False,
) -> int:
    """Seal a value, read from standard input, for "encrypted_env" in a pipeline.json; it opens nowhere else.

    Parameters
    ----------
    pipeline
        The pipeline: the name of its folder.
    name
        The environment variable.
    file
        Read the value from this file. One newline at its end is not part of the value.
    public_key_base64
        Seal for this key, without asking a gateway.
    json
        For programs.
    """
    value = read_value(name, file)
    if public_key_base64 is None:
        async with gateway(gateway_url(where, os.environ)) as door:
            key = await public_key(door)
    else:
        key = decoded(public_key_base64)
    text = sealed(key, sealing.for_variable(pipeline, name), value)
    if json:
        show_json({"pipeline": pipeline, "name": name, "encrypted": text})
    else:
        show(text)
    return Exit.OK


def read_value(name: str, file: Path | None) -> str:
    """The value from a file, from a prompt without echo, or from standard input; never from the command line.

    Raises:
        UsageError: it cannot be read, or is no text.
    """
    try:
        if file is not None:
            value = file.read_bytes().decode()
        elif sys.stdin.isatty():
            return getpass(f"value of {name}: ")
        else:
            value = sys.stdin.buffer.read().decode()
    except (OSError, EOFError) as exc:
        raise UsageError(f"the value cannot be read: {type(exc).__name__}") from None
    except UnicodeDecodeError:
        raise UsageError("the value is no UTF-8 text") from None
    value = value.removesuffix("\n").removesuffix("\r")
    if len(value.encode()) < TOO_SHORT_BYTES:
        say(f"a value of less than {TOO_SHORT_BYTES} bytes is not masked in output", style="yellow")
    return value


def sealed(key: bytes, purpose: Purpose, value: str) -> str:
    """The value, sealed.

    Raises:
        UsageError: no environment variable can hold it.
    """
    try:
        return sealing.seal(key, purpose, value)
    except ContractError as exc:
        raise UsageError(str(exc)) from None


def decoded(text: str) -> bytes:
    """A public key from its base64.

    Raises:
        UsageError: it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise UsageError("--public-key takes base64, as GET /api/secrets/public-key answers it") from None


async def public_key(door: Gateway) -> bytes:
    """The key in use."""
    return decoded((await public_key_answer(door))["public_key"])


async def public_key_answer(door: Gateway) -> dict[str, str]:
    """The key in use and its id."""
    return await door.get("/api/secrets/public-key")


async def next_version(door: Gateway, name: str) -> int:
    """What the next value has to be sealed for."""
    try:
        version: int = (await door.get(f"/api/secrets/{segment(name)}"))["version"]
    except RefusedError:
        return 1
    return version + 1
