"""Code bundles from the object store, as git_sync put them there."""

from fastflow_events.nats.bundles import read_bundle
from nats.aio.client import Client


class NatsCode:
    """`CodeStore` over Direct Get; the digest is verified."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def bundle(self, tree: str) -> bytes:
        """The bundle of a Git tree."""
        return await read_bundle(self._nc, tree)
