"""The rows git_sync keeps: what the log says, folded; both files may be deleted."""

PIPELINES = """
-- One row per pipeline that was ever named in a fact; `state` is its decider's state, without versions.
CREATE TABLE IF NOT EXISTS pipelines (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    repository TEXT NOT NULL,
    phase TEXT NOT NULL,
    state BLOB NOT NULL
) WITHOUT ROWID;
-- Commits whose bundle is stored.
CREATE TABLE IF NOT EXISTS versions (
    pipeline TEXT NOT NULL,
    commit_id TEXT NOT NULL,
    tree TEXT NOT NULL,
    PRIMARY KEY (pipeline, commit_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS versions_by_tree ON versions (pipeline, tree);
-- Repositories that have a folder of the name of a pipeline that is another's.
CREATE TABLE IF NOT EXISTS rivals (
    pipeline TEXT NOT NULL,
    repository TEXT NOT NULL,
    PRIMARY KEY (repository, pipeline)
) WITHOUT ROWID;
"""

REPOSITORIES = """
-- One row per repository; `state` is its decider's state, with deliveries and keys.
CREATE TABLE IF NOT EXISTS repositories (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    state BLOB NOT NULL
) WITHOUT ROWID;
"""
