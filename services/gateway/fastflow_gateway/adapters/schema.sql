-- The read model. Columns of a table are the fields of its struct in `views`, in the same order; every table is a fold
-- of the log, so the file may be deleted. `seq` is the stream position of the fact that changed the row last. Instants
-- are text (RFC 3339, UTC, six digits), so that their order is the order of time. No column knows when it was written.
-- What is derived of these tables, and their indexes, is in `derived.sql`.

-- `n` is the position of the request: rows lie in the order in which they are listed.
CREATE TABLE IF NOT EXISTS runs (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT,
    trigger_kind TEXT NOT NULL,
    who TEXT NOT NULL,
    schedule TEXT,
    backfill TEXT,
    commit_sha TEXT,
    branch TEXT NOT NULL,
    runner TEXT,
    requested_at TEXT NOT NULL,
    started_at TEXT,
    finished_at TEXT,
    wait_ms INTEGER,
    duration_ms INTEGER,
    steps TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    dispatched INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    due TEXT,
    reason TEXT NOT NULL,
    reason_message TEXT NOT NULL,
    error TEXT,
    upstream_run TEXT,
    upstream_runs TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS run_details (
    n INTEGER PRIMARY KEY,
    run_config_id TEXT,
    params TEXT NOT NULL,
    env_names TEXT NOT NULL,
    executor TEXT,
    container TEXT,
    image TEXT,
    environment TEXT,
    prepare_s REAL,
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
    nominal TEXT,
    rerun_of TEXT,
    route TEXT,
    has_result INTEGER NOT NULL,
    result_error TEXT NOT NULL,
    result_error_message TEXT NOT NULL
);

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
    requirements_sha256 TEXT NOT NULL,
    tags TEXT NOT NULL,
    paused_by TEXT NOT NULL,
    paused_why TEXT NOT NULL,
    paused_at TEXT,
    stats_since TEXT,
    schedules TEXT NOT NULL
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

CREATE TABLE IF NOT EXISTS schedules (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    pipeline TEXT NOT NULL,
    plan TEXT NOT NULL,
    own_priority INTEGER NOT NULL,
    set_by TEXT NOT NULL,
    set_at TEXT,
    paused INTEGER NOT NULL,
    paused_by TEXT NOT NULL,
    paused_why TEXT NOT NULL,
    paused_at TEXT,
    settled TEXT,
    fault TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS chains (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    upstream TEXT NOT NULL,
    downstream TEXT NOT NULL,
    chain TEXT NOT NULL,
    removed INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS settings (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    paused INTEGER NOT NULL,
    paused_by TEXT NOT NULL,
    paused_why TEXT NOT NULL,
    paused_at TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS queue (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    term INTEGER NOT NULL,
    leader TEXT NOT NULL,
    leased_at TEXT NOT NULL,
    max_running INTEGER,
    ageing_s REAL,
    default_pool TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS backfills (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    requested_seq INTEGER NOT NULL,
    pipeline TEXT NOT NULL,
    schedule TEXT NOT NULL,
    requested_at TEXT NOT NULL,
    who TEXT NOT NULL,
    concurrency INTEGER NOT NULL,
    instants INTEGER NOT NULL,
    request TEXT NOT NULL,
    cancelled INTEGER NOT NULL,
    cancelled_by TEXT NOT NULL,
    cancelled_why TEXT NOT NULL,
    cancelled_at TEXT
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS environments (
    id TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,
    state TEXT NOT NULL,
    lock TEXT NOT NULL,
    python TEXT NOT NULL,
    uv TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    prepared_at TEXT,
    prepare_s REAL NOT NULL,
    refreshed INTEGER NOT NULL,
    made TEXT NOT NULL
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

CREATE TABLE IF NOT EXISTS versions (
    pipeline TEXT NOT NULL,
    commit_sha TEXT NOT NULL,
    seq INTEGER NOT NULL,
    repository TEXT NOT NULL,
    tree TEXT NOT NULL,
    stored_at TEXT NOT NULL,
    python TEXT NOT NULL,
    kind TEXT NOT NULL,
    requirements_source TEXT NOT NULL,
    requirements_sha256 TEXT NOT NULL,
    bundle_bytes INTEGER NOT NULL,
    PRIMARY KEY (pipeline, commit_sha)
) WITHOUT ROWID;

CREATE UNIQUE INDEX IF NOT EXISTS runs_id ON runs (id);

-- Every version of the rows that people look back at, as a JSON list of their columns.
CREATE TABLE IF NOT EXISTS history (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (kind, id, seq)
) WITHOUT ROWID;

-- In which environments runs were started, and when last.
CREATE TABLE IF NOT EXISTS environments_used (
    environment TEXT PRIMARY KEY,
    last_started TEXT NOT NULL
) WITHOUT ROWID;

-- When some facts were stored: from an instant to a position near it.
CREATE TABLE IF NOT EXISTS moments (
    seq INTEGER PRIMARY KEY,
    at TEXT NOT NULL
);

-- The first and the last run of each hour: from a time to a position.
CREATE TABLE IF NOT EXISTS hours (
    hour INTEGER PRIMARY KEY,
    first_n INTEGER NOT NULL,
    last_n INTEGER NOT NULL
);

-- How many runs that were requested in an hour, or on a day, have a status now, and how long they took together.
CREATE TABLE IF NOT EXISTS hour_counts (
    hour INTEGER NOT NULL,
    status TEXT NOT NULL,
    runs INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (hour, status)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS day_counts (
    day INTEGER NOT NULL,
    pipeline TEXT NOT NULL,
    status TEXT NOT NULL,
    runs INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    PRIMARY KEY (day, pipeline, status)
) WITHOUT ROWID;

-- The words of runs, by their position; the words themselves are made anew from the row.
CREATE VIRTUAL TABLE IF NOT EXISTS run_text USING fts5(words, content='', detail=none, tokenize='unicode61');
