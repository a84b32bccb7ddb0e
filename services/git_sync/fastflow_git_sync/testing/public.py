"""A Git host at a public address, and one at a private address, in a network of their own.

Run as a program, in a network namespace whose loopback has `PUBLIC`; prints what became of each attempt as JSON.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from fastflow_events.aggregates.repository.events import RepositoryConfigured

from fastflow_git_sync.adapters.git import open_source
from fastflow_git_sync.core.access import Access
from fastflow_git_sync.ports import GitError
from fastflow_git_sync.settings import GitSyncSettings
from fastflow_git_sync.testing.http_server import HttpHost, http_host

PUBLIC, PRIVATE = "45.67.89.10", "127.0.0.1"
NAMES = ("bücher.example", "BÜCHER.Example.", "Git.EXAMPLE", "git.example.")
"""As people may write them."""
USER, TOKEN = "ann", "s3cret"


def command(*arguments: str) -> list[str]:
    """What starts this program in a network of its own; needs root."""
    made = f'ip link set lo up && ip addr add {PUBLIC}/32 dev lo && exec "$@"'
    return ["unshare", "--net", "sh", "-c", made, "sh", sys.executable, "-m", __name__, *arguments]


async def _attempt(
    home: Path,
    host: HttpHost,
    resolved: Sequence[str],
    *,
    name: str = "git.example",
    redirects: bool = False,
    private: bool = False,
) -> str:
    """Fetch from a name that is known to our own resolver only; returns the commit, or why there is none."""
    url = host.url.replace(PUBLIC, name) + "origin/.git"
    configured = RepositoryConfigured(url=url, branch="main")
    access = Access(user=USER, token=TOKEN, redirects=redirects, private=private)
    try:
        async with open_source(
            GitSyncSettings(home=home), "main", configured, access, lambda _name, _port: resolved
        ) as source:
            return (await source.fetch(None)).commit
    except GitError as exc:
        return str(exc)


async def _main(root: Path) -> None:
    found: dict[str, object] = {}
    with (
        http_host(root, user=USER, password=TOKEN, address=PUBLIC) as door,
        http_host(root, user=USER, password=TOKEN, address=PRIVATE) as inside,
    ):
        home = root / "home"
        found["pinned"] = await _attempt(home, door, [PUBLIC])
        for name in NAMES:
            found[name] = await _attempt(home, door, [PUBLIC], name=name)
        knocked = len(door.seen)
        found["private name"] = await _attempt(home, door, [PRIVATE])
        found["half private name"] = await _attempt(home, door, [PUBLIC, PRIVATE])
        found["knocked meanwhile"] = len(door.seen) - knocked
        door.moved_to = inside.url.rstrip("/")
        found["redirect"] = await _attempt(home, door, [PUBLIC])
        found["redirect allowed"] = await _attempt(home, door, [PUBLIC], redirects=True)
        found["asked inside"] = len(inside.seen)
        found["both allowed"] = await _attempt(home, door, [PUBLIC], redirects=True, private=True)
        found["asked inside then"] = len(inside.seen)
        found["token inside"] = any("Basic" in line for line in inside.seen)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
