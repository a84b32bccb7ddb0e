"""The object store for code in the hands of the deployer."""

from collections.abc import AsyncIterator, Set
from datetime import datetime

from nats.aio.client import Client

from fastflow_events.nats.bundles.delete import abandoned_chunks, delete_bundle, purge_chunks, stored_bundles
from fastflow_events.nats.bundles.names import StoredBundle


class CodeKeeper:
    """Lists and deletes bundles over one connection."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc

    async def stored(self) -> dict[str, StoredBundle]:
        """Every bundle that is described as stored, by tree."""
        return await stored_bundles(self._nc)

    async def delete(self, bundle: StoredBundle, *, at: datetime) -> bool:
        """Delete a bundle unless it was described anew since it was found; returns whether it is gone."""
        return await delete_bundle(self._nc, bundle, at=at)

    def abandoned(self, known: Set[str], *, before: datetime) -> AsyncIterator[str]:
        """Subjects of chunks that no description names and whose upload ended before an instant."""
        return abandoned_chunks(self._nc, known, before=before)

    async def purge(self, subject: str) -> None:
        """Delete the chunks on one subject."""
        await purge_chunks(self._nc, subject)
