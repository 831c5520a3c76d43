-- Times are microseconds since 1970, UTC; spans are half-open.

CREATE TABLE assets (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    source TEXT NOT NULL,
    historical INTEGER NOT NULL CHECK (historical IN (0, 1))
) STRICT;

-- Ids are given by name before readings are written and before the ingest commits; a name that was
-- reserved by an ingest that failed keeps its id and is no sensor yet.
CREATE TABLE sensor_ids (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    asset_name TEXT NOT NULL,
    sensor_name TEXT NOT NULL,
    UNIQUE (asset_name, sensor_name)
) STRICT;

CREATE TABLE sensors (
    id INTEGER PRIMARY KEY REFERENCES sensor_ids (id),
    asset_id INTEGER NOT NULL REFERENCES assets (id),
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('target', 'context', 'state')),
    interval_s REAL,
    UNIQUE (asset_id, name)
) STRICT;

CREATE TABLE sensor_context (
    sensor_id INTEGER NOT NULL REFERENCES sensors (id),
    position INTEGER NOT NULL,
    context_id INTEGER NOT NULL REFERENCES sensors (id),
    PRIMARY KEY (sensor_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE parts (
    asset_id INTEGER NOT NULL REFERENCES assets (id),
    name TEXT NOT NULL CHECK (name IN ('train', 'test', 'anomaly')),
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL CHECK (end_us > start_us),
    PRIMARY KEY (asset_id, name, start_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE source_settings (
    name TEXT PRIMARY KEY,
    settings TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    note TEXT NOT NULL,
    -- 1 once files that it needs were removed: it can't be read or pinned any more.
    gone INTEGER NOT NULL DEFAULT 0 CHECK (gone IN (0, 1))
) STRICT;

CREATE TABLE pins (
    snapshot_id INTEGER NOT NULL REFERENCES snapshots (id),
    holder TEXT NOT NULL,
    PRIMARY KEY (snapshot_id, holder)
) STRICT, WITHOUT ROWID;

CREATE TABLE files (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('readings', 'rollups', 'scores', 'events', 'labels')),
    path TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    sensor_min INTEGER NOT NULL,
    sensor_max INTEGER NOT NULL,
    version_id INTEGER,
    parent_id INTEGER,
    added_in INTEGER NOT NULL REFERENCES snapshots (id),
    ended_in INTEGER REFERENCES snapshots (id),
    ended_us INTEGER,
    CHECK ((ended_in IS NULL) = (ended_us IS NULL))
) STRICT;

CREATE INDEX files_live ON files (kind, version_id, start_us) WHERE ended_in IS NULL;
CREATE INDEX files_added ON files (added_in);
CREATE INDEX files_ended ON files (ended_in);

-- First and last reading of each sensor, kept with every commit so that no file is opened for them.
CREATE TABLE extents (
    sensor_id INTEGER PRIMARY KEY,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    last_value REAL
) STRICT;

CREATE TABLE versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sensor_id INTEGER NOT NULL REFERENCES sensors (id),
    method TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('baseline', 'trained')),
    number INTEGER NOT NULL,
    run_id TEXT,
    registered_name TEXT,
    created_us INTEGER NOT NULL,
    snapshot_id INTEGER NOT NULL REFERENCES snapshots (id),
    snapshot_digest TEXT NOT NULL,
    labels_digest TEXT NOT NULL,
    seed INTEGER NOT NULL,
    spans TEXT NOT NULL,
    parameters TEXT NOT NULL,
    metrics TEXT NOT NULL,
    artifacts TEXT NOT NULL,
    folder TEXT NOT NULL,
    UNIQUE (sensor_id, method, number)
) STRICT;

CREATE TABLE champions (
    sensor_id INTEGER PRIMARY KEY REFERENCES sensors (id),
    version_id INTEGER NOT NULL UNIQUE REFERENCES versions (id)
) STRICT;

CREATE TABLE promotions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sensor_id INTEGER NOT NULL REFERENCES sensors (id),
    version_id INTEGER NOT NULL REFERENCES versions (id),
    actor TEXT NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;

-- One row for each ingest that changed something.
CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    snapshot_id INTEGER,
    added INTEGER NOT NULL,
    replaced INTEGER NOT NULL,
    unchanged INTEGER NOT NULL,
    duplicates INTEGER NOT NULL
) STRICT;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    batch_id INTEGER NOT NULL REFERENCES batches (id),
    at_us INTEGER NOT NULL,
    file TEXT NOT NULL,
    row INTEGER,
    reason TEXT NOT NULL,
    content TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE
) STRICT;
