"""What Git says of commits, out of the bucket `fastflow-commits`; what was read once is remembered."""

import logging
from collections import OrderedDict
from collections.abc import Collection, Mapping

from fastflow_events.commit_about import CommitAbout
from fastflow_events.errors import InfrastructureError
from fastflow_events.nats.commits import kept_abouts
from nats.aio.client import Client

logger = logging.getLogger(__name__)

MOST = 10_000
"""Commits that are remembered; one takes some hundred bytes, and never changes."""


class CommitBucket:
    """`Commits` over one NATS connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._known: OrderedDict[str, CommitAbout] = OrderedDict()

    async def about(self, commits: Collection[str]) -> Mapping[str, CommitAbout]:
        """What is kept of each of the commits; what is not known, or not now, is left out."""
        found = {commit: self._known[commit] for commit in {*commits} & self._known.keys()}
        if missing := {*commits} - found.keys():
            try:
                new = await kept_abouts(self._nc, missing)
            except InfrastructureError as exc:
                logger.warning("commits are shown by their ids: %s", exc, extra={"action": "commits_unread"})
                return found
            self._known.update(new)
            found.update(new)
        for commit in found:
            self._known.move_to_end(commit)
        while len(self._known) > MOST:
            self._known.popitem(last=False)
        return found
