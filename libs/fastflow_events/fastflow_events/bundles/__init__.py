"""Code bundles: one object per Git tree in the object store `fastflow-code`; git_sync writes, runners read."""

from fastflow_events.bundles.names import StoredBundle
from fastflow_events.bundles.read import BundleDamagedError, BundleMissingError, find_bundle, read_bundle
from fastflow_events.bundles.write import store_bundle

__all__ = [
    "BundleDamagedError",
    "BundleMissingError",
    "StoredBundle",
    "find_bundle",
    "read_bundle",
    "store_bundle",
]
