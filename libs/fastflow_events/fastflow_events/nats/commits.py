"""The bucket `fastflow-commits`: what Git says of commits, one key for each, beside the log.

Facts name commits by their ids alone, because they stay for ever and authors are people. Only git_sync writes here, and
writes anew from Git what is lost.
"""

from collections.abc import Collection

import msgspec
from nats.aio.client import Client

from fastflow_events import subjects
from fastflow_events.commit_about import CommitAbout
from fastflow_events.nats.direct_get import get_newest
from fastflow_events.nats.storing import translated
from fastflow_events.nats.topology import COMMITS, key


async def keep_about(nc: Client, commit: str, about: CommitAbout) -> None:
    """Keep what Git says of a commit.

    Raises:
        InfrastructureError: the server did not take it.
    """
    with translated("what Git says of a commit cannot be kept", commit=commit):
        await nc.jetstream().publish(_key(commit), msgspec.json.encode(about))


async def kept_abouts(nc: Client, commits: Collection[str]) -> dict[str, CommitAbout]:
    """What is kept of each of the commits; those of which nothing is, or nothing that can be read, are left out.

    Raises:
        InfrastructureError: the server did not answer.
    """
    names = {_key(commit): commit for commit in commits}
    found = {}
    async for stored in get_newest(nc, COMMITS, subjects=list(names)):
        try:
            found[names[stored.subject]] = msgspec.json.decode(stored.data, type=CommitAbout)
        except (msgspec.MsgspecError, ValueError):
            continue
    return found


def _key(commit: str) -> str:
    return key(COMMITS, subjects.encode(commit))
