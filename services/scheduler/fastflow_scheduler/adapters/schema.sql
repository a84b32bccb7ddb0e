-- The state: one row per thing, as JSON; `kind` says what kind of thing it is. A thing is written when it changes, so
-- whatever grows is as many things as it has parts.
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- Every commit of a pipeline whose code is stored; not kept in memory.
CREATE TABLE IF NOT EXISTS versions (
    pipeline TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    body BLOB NOT NULL,
    PRIMARY KEY (pipeline, commit_sha)
) WITHOUT ROWID;
