"""Every code that a sentence may have, read in a process of its own, for it imports whatever says something."""

import json
import subprocess
import sys
from importlib import import_module, util
from pathlib import Path
from typing import Any, get_type_hints

from fastflow_events.message import Statement, statements

from fastflow_cli.errors import CliError

PACKAGES = (
    "fastflow_events",
    "fastflow_rules",
    "fastflow_cli",
    "fastflow_gateway",
    "fastflow_git_sync",
    "fastflow_runner",
    "fastflow_scheduler",
)
WHAT = {str: "text", int: "integer", float: "number", Statement: "message"}


def messages() -> dict[str, Any]:
    """The file `messages.json`.

    Raises:
        CliError: what says something cannot be imported.
    """
    argv = [sys.executable, "-m", "fastflow_cli.proto.messages"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CliError(f"the sentences cannot be read: {done.stderr.strip()[-500:]}", fix=" ".join(argv))
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def catalogue() -> dict[str, Any]:
    """Code to template and arguments, of every statement of every package."""
    for name in PACKAGES:
        for module in modules_that_say(name):
            import_module(module)
    return {code: _entry(cls) for code, cls in sorted(statements().items()) if cls.__module__ != "__main__"}


def modules_that_say(package: str) -> list[str]:
    """The modules of a package that define a statement; others are not imported for it."""
    spec = util.find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations
    (folder,) = spec.submodule_search_locations
    return sorted(
        ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(".__init__")
        for path in Path(folder).rglob("*.py")
        if "(Statement, frozen=True" in path.read_text()
    )


def changed_arguments(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What those who say a code in their own words would miss now; a code that is not said any more harms nobody."""
    return [
        f"{code} had the argument {name}, {kind}"
        for code in sorted(before.keys() & now.keys())
        for name, kind in before[code]["args"].items()
        if now[code]["args"].get(name) != kind
    ]


def _entry(cls: type[Statement]) -> dict[str, Any]:
    return {
        "english": cls.english,
        "args": {name: kind_of(cls, name) for name in cls.__struct_fields__},
        "about": (cls.__doc__ or "").split("\n", maxsplit=1)[0],
    }


def kind_of(cls: type[Statement], name: str) -> str:
    """What an argument is: `text`, `integer`, `number`, `instant`, `message`, or a list of them."""
    hint = get_type_hints(cls, include_extras=True)[name]
    if getattr(hint, "__metadata__", None):
        return str(hint.__metadata__[0].title)
    of_many = getattr(hint, "__args__", None)
    return f"list of {WHAT[of_many[0]]}" if of_many else WHAT[hint]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(catalogue()))
