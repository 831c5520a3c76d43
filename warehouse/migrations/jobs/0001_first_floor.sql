-- Times are microseconds since 1970 in UTC. Payloads, results and outcomes are JSON.
-- New columns go to the end: rows are read by position.
CREATE TABLE job (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed')),
    progress REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL,
    key TEXT,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    result TEXT,
    error TEXT,
    pid INTEGER,
    pid_mark TEXT,
    urgent INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One waiting job a key; a running one does not block the next.
CREATE UNIQUE INDEX job_one_queued_a_key ON job (key) WHERE state = 'queued' AND key IS NOT NULL;
CREATE INDEX job_by_state ON job (state, urgent DESC, id);

CREATE TABLE job_metric (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (job_id, name, step)
) STRICT, WITHOUT ROWID;

-- Writes that wait for the one process that owns state.duckdb.
CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    write_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL,
    settled_at INTEGER,
    outcome TEXT,
    error TEXT
) STRICT;

CREATE INDEX inbox_waiting ON inbox (seq) WHERE settled_at IS NULL;
