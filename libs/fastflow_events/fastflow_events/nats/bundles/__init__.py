"""Code bundles: one object per Git tree in the object store `fastflow-code`.

git_sync writes, runners and the gateway read, the deployer deletes.
"""

from fastflow_events.nats.bundles.delete import abandoned_chunks, delete_bundle, purge_chunks, stored_bundles
from fastflow_events.nats.bundles.keeper import CodeKeeper
from fastflow_events.nats.bundles.names import StoredBundle
from fastflow_events.nats.bundles.read import (
    BundleDamagedError,
    BundleMissingError,
    chunks_of,
    find_bundle,
    read_bundle,
    undescribed,
)
from fastflow_events.nats.bundles.write import store_bundle, touch_bundle

__all__ = [
    "BundleDamagedError",
    "BundleMissingError",
    "CodeKeeper",
    "StoredBundle",
    "abandoned_chunks",
    "chunks_of",
    "delete_bundle",
    "find_bundle",
    "purge_chunks",
    "read_bundle",
    "store_bundle",
    "stored_bundles",
    "touch_bundle",
    "undescribed",
]
