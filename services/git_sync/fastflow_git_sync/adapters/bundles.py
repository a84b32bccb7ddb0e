"""The object store for code, over NATS."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import BinaryIO

from fastflow_events.nats.bundles import StoredBundle, find_bundle, store_bundle, touch_bundle, undescribed
from nats.aio.client import Client


class BundleStore:
    """`Bundles` on the bucket `fastflow-code`."""

    def __init__(self, nc: Client, clock: Callable[[], datetime]) -> None:
        self._nc = nc
        self._clock = clock

    async def unseen(self, trees: Collection[str]) -> set[str]:
        """Those of the trees that nothing was ever said of."""
        return await undescribed(self._nc, trees)

    async def find(self, tree: str) -> StoredBundle | None:
        """What is stored of a tree."""
        return await find_bundle(self._nc, tree)

    async def keep(self, bundle: StoredBundle) -> StoredBundle | None:
        """Say that a stored bundle is needed again."""
        return await touch_bundle(self._nc, bundle, at=self._clock())

    async def store(self, tree: str, file: BinaryIO, *, unseen: bool = False) -> StoredBundle:
        """Store the file as the bundle of a tree."""
        return await store_bundle(self._nc, tree, file, at=self._clock(), unseen=unseen)
