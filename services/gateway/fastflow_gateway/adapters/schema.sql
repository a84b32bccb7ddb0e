-- The read model. Columns are those of the structs in `views`, in the same order; every table is a fold of the log,
-- so the file may be deleted. `seq` is the stream position of the fact that changed the row last. Instants are text
-- (RFC 3339, UTC, six digits), so that their order is the order of time. No column knows when it was written.

CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    requested_seq INTEGER NOT NULL,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_at TEXT NOT NULL,
    trigger_kind TEXT NOT NULL,
    who TEXT NOT NULL,
    commit_sha TEXT,
    run_config_id TEXT,
    params TEXT NOT NULL,
    env_names TEXT NOT NULL,
    priority INTEGER NOT NULL,
    outcome TEXT,
    reason TEXT NOT NULL,
    reason_message TEXT NOT NULL,
    dispatched INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    due TEXT,
    runner TEXT,
    executor TEXT,
    container TEXT,
    image TEXT,
    environment TEXT,
    prepare_s REAL,
    started_at TEXT,
    finished_at TEXT,
    exit_code INTEGER,
    signal INTEGER,
    peak_memory_bytes INTEGER,
    cpu_s REAL,
    output_lines INTEGER NOT NULL,
    output_bytes INTEGER NOT NULL,
    dropped_bytes INTEGER NOT NULL,
    peak_cpus REAL,
    received_bytes INTEGER,
    sent_bytes INTEGER,
    read_bytes INTEGER,
    written_bytes INTEGER,
    artifacts INTEGER NOT NULL,
    soft_limits TEXT NOT NULL,
    upstream_run TEXT,
    upstream_runs TEXT NOT NULL,
    schedule TEXT,
    nominal TEXT,
    backfill TEXT,
    rerun_of TEXT,
    branch TEXT NOT NULL,
    route TEXT,
    has_result INTEGER NOT NULL,
    result_error TEXT NOT NULL,
    result_error_message TEXT NOT NULL,
    error TEXT
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS runs_newest ON runs (requested_seq);
CREATE INDEX IF NOT EXISTS runs_of_pipeline ON runs (pipeline, requested_seq);
CREATE INDEX IF NOT EXISTS runs_of_status ON runs (status, requested_seq);
CREATE INDEX IF NOT EXISTS runs_after ON runs (upstream_run) WHERE upstream_run IS NOT NULL;
CREATE INDEX IF NOT EXISTS runs_fanned_in ON runs (requested_seq) WHERE json_array_length(upstream_runs) > 1;

CREATE TABLE IF NOT EXISTS pipelines (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    repository TEXT NOT NULL,
    status TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    tree TEXT NOT NULL,
    definition TEXT NOT NULL,
    errors TEXT NOT NULL,
    errors_messages TEXT NOT NULL,
    paused INTEGER NOT NULL,
    requirements_sha256 TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS repositories (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    status TEXT NOT NULL,
    url TEXT NOT NULL,
    branch TEXT NOT NULL,
    subfolder TEXT NOT NULL,
    commit_sha TEXT,
    reason TEXT NOT NULL,
    reason_message TEXT NOT NULL,
    pipelines INTEGER NOT NULL,
    invalid INTEGER NOT NULL,
    synced_at TEXT,
    requested_seq INTEGER NOT NULL,
    configured_by TEXT NOT NULL,
    credentials TEXT NOT NULL,
    public_key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    requests INTEGER NOT NULL,
    answered INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS secrets (
    name TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    version INTEGER NOT NULL,
    key_id TEXT NOT NULL,
    who TEXT NOT NULL,
    set_at TEXT NOT NULL,
    removed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS tokens (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    grants TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at TEXT,
    created_at TEXT NOT NULL,
    created_by TEXT NOT NULL,
    revoked_by TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS tokens_of_hash ON tokens (hash);
