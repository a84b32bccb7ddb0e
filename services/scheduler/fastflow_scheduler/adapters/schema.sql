-- Pipelines as they stand at the head of their repository.
CREATE TABLE IF NOT EXISTS pipelines (
    name TEXT PRIMARY KEY,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- Every commit of a pipeline whose code is stored.
CREATE TABLE IF NOT EXISTS versions (
    pipeline TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (pipeline, commit_sha)
) WITHOUT ROWID;

-- Runs that are not over.
CREATE TABLE IF NOT EXISTS runs (
    run_id TEXT PRIMARY KEY,
    requested_seq INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

-- The newest leadership term.
CREATE TABLE IF NOT EXISTS queue (
    id TEXT PRIMARY KEY,
    term INTEGER NOT NULL
) WITHOUT ROWID;
