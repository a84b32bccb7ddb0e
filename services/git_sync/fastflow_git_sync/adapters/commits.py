"""What people are shown of commits, over NATS."""

from collections.abc import Collection

from fastflow_events.commit_about import CommitAbout
from fastflow_events.nats.commits import keep_about, kept_abouts
from nats.aio.client import Client


class CommitBucket:
    """`Commits` on the bucket `fastflow-commits`."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def keep(self, commit: str, about: CommitAbout) -> None:
        """Keep what Git says of a commit."""
        await keep_about(self._nc, commit, about)

    async def missing(self, commits: Collection[str]) -> set[str]:
        """Those of the commits of which nothing is kept."""
        return {*commits} - (await kept_abouts(self._nc, commits)).keys()
