-- A job can be cancelled and interrupted, waits for others, belongs to a batch, and is leased to an attempt.
-- SQLite can't change a CHECK in place, and dropping `job` would empty the table that refers to it: both
-- are made anew.
CREATE TABLE job_batch (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    -- JSON list: the jobs that were asked for and had been asked for before.
    already TEXT NOT NULL DEFAULT '[]'
) STRICT;

CREATE TABLE job_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
    progress REAL NOT NULL DEFAULT 0,
    message TEXT NOT NULL DEFAULT '',
    actor TEXT NOT NULL,
    key TEXT,
    exclusive INTEGER NOT NULL DEFAULT 0 CHECK (exclusive IN (0, 1)),
    priority INTEGER NOT NULL DEFAULT 1,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    result TEXT,
    error TEXT,
    pid INTEGER,
    pid_mark TEXT,
    -- Counts claims and never goes back: with the id it fences off whoever ran an earlier attempt.
    attempt INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER,
    not_before INTEGER,
    cancel_asked_at INTEGER,
    cancel_asked_by TEXT,
    -- The needed job whose end cancelled this one; it comes back with that one.
    cancelled_for INTEGER,
    batch_id INTEGER REFERENCES job_batch (id),
    cloned_from INTEGER,
    schedule_id INTEGER,
    memory_mb REAL,
    cpu_s REAL,
    -- 1: what earlier attempts kept is to be dropped.
    fresh INTEGER NOT NULL DEFAULT 0 CHECK (fresh IN (0, 1)),
    -- How far any attempt came, whether this one came further, and how many in a row did not.
    furthest REAL NOT NULL DEFAULT 0,
    checkpoint INTEGER,
    moved INTEGER NOT NULL DEFAULT 0 CHECK (moved IN (0, 1)),
    stalls INTEGER NOT NULL DEFAULT 0,
    retries INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What ran when an earlier release ended has no lease any more: it is found and goes on.
INSERT INTO job_2 (id, kind, payload, state, progress, message, actor, key, priority, created_at,
        started_at, finished_at, result, error, pid, pid_mark, attempt, lease_until, furthest)
    SELECT id, kind, payload, state, progress, message, actor, key, CASE urgent WHEN 0 THEN 1 ELSE 0 END,
        created_at, started_at, finished_at, result, error, pid, pid_mark, started_at IS NOT NULL,
        CASE state WHEN 'running' THEN coalesce(started_at, created_at) END, progress
    FROM job;
-- An id that was given once is not given again: model versions name the job that made them.
DELETE FROM sqlite_sequence WHERE name = 'job_2';
INSERT INTO sqlite_sequence SELECT 'job_2', seq FROM sqlite_sequence WHERE name = 'job';

CREATE TABLE job_metric_2 (
    job_id INTEGER NOT NULL REFERENCES job_2 (id) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    name TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (job_id, name, step)
) STRICT, WITHOUT ROWID;
INSERT INTO job_metric_2 SELECT job_id, step, name, value FROM job_metric;

DROP TABLE job_metric;
DROP TABLE job;
ALTER TABLE job_2 RENAME TO job;
ALTER TABLE job_metric_2 RENAME TO job_metric;

-- Ended jobs are the many: what is asked many times a second looks at the others alone.
CREATE INDEX job_waiting ON job (priority) WHERE state IN ('queued', 'interrupted');
CREATE INDEX job_open_key ON job (key) WHERE state IN ('queued', 'interrupted', 'running');
CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_kind ON job (kind, state);
CREATE INDEX job_of_batch ON job (batch_id, state) WHERE batch_id IS NOT NULL;
CREATE INDEX job_cancelled_for ON job (cancelled_for) WHERE cancelled_for IS NOT NULL;

CREATE UNIQUE INDEX job_one_open_a_key ON job (key)
    WHERE exclusive = 1 AND state IN ('queued', 'interrupted', 'running');
-- One that ran and waits again may stand beside one that was asked for meanwhile.
CREATE UNIQUE INDEX job_one_new_a_key ON job (key)
    WHERE exclusive = 0 AND state = 'queued' AND attempt = 0;

CREATE TABLE job_need (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    needs_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    PRIMARY KEY (job_id, needs_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_needed_by ON job_need (needs_id);

CREATE TABLE job_line (
    job_id INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (job_id, seq)
) STRICT, WITHOUT ROWID;

-- Work that is queued again and again, when its cron expression says so.
CREATE TABLE schedule (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    cron TEXT NOT NULL,
    zone TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    actor TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1 CHECK (enabled IN (0, 1)),
    next_at INTEGER NOT NULL,
    last_at INTEGER,
    last_job_id INTEGER
) STRICT;
