"""A folder of files → a pipeline, or every reason why it is none; the same in Git and on a laptop's disk."""

from fastflow_rules.folder.discovery import (
    Invalid,
    Judged,
    Runnable,
    inspect,
    invalid,
    is_name,
    is_pipeline,
    no_name,
    wanted,
)
from fastflow_rules.folder.entries import Entry, Folder
from fastflow_rules.folder.sizes import MAX_BYTES, MAX_FILES, TOO_LARGE, TOO_MANY

__all__ = [
    "MAX_BYTES",
    "MAX_FILES",
    "TOO_LARGE",
    "TOO_MANY",
    "Entry",
    "Folder",
    "Invalid",
    "Judged",
    "Runnable",
    "inspect",
    "invalid",
    "is_name",
    "is_pipeline",
    "no_name",
    "wanted",
]
