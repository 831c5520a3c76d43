-- Rollups of scores are a kind of file of their own; SQLite can't change a CHECK in place.
CREATE TABLE files_2 (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL
        CHECK (kind IN ('readings', 'rollups', 'scores', 'score_rollups', 'events', 'labels')),
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

INSERT INTO files_2 SELECT id, kind, path, sha256, size, rows, start_us, end_us, sensor_min, sensor_max,
    version_id, parent_id, added_in, ended_in, ended_us FROM files;
-- An id that was given once is not given again, also where the newest files are gone.
DELETE FROM sqlite_sequence WHERE name = 'files_2';
INSERT INTO sqlite_sequence SELECT 'files_2', seq FROM sqlite_sequence WHERE name = 'files';
DROP TABLE files;
ALTER TABLE files_2 RENAME TO files;

CREATE INDEX files_live ON files (kind, version_id, start_us) WHERE ended_in IS NULL;
CREATE INDEX files_added ON files (added_in);
CREATE INDEX files_ended ON files (ended_in);

-- What became of a damaged file, for good.
CREATE TABLE repairs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    path TEXT NOT NULL,
    rows INTEGER NOT NULL,
    start_us INTEGER NOT NULL,
    end_us INTEGER NOT NULL,
    sensor_min INTEGER NOT NULL,
    sensor_max INTEGER NOT NULL,
    outcome TEXT NOT NULL
) STRICT;

-- Files that are not what was written. Reads go on without them until a repair decides.
CREATE TABLE damage (
    file_id INTEGER PRIMARY KEY,
    found_us INTEGER NOT NULL,
    reason TEXT NOT NULL,
    -- The decision, where one was made: the file is then no longer part of what is live.
    repair_id INTEGER REFERENCES repairs (id)
) STRICT;

-- The unit a person set, NULL where the source's is shown; `unit` stays what the source states.
ALTER TABLE sensors ADD COLUMN shown_unit TEXT;

-- Which file an ingest read, as a person knows it.
ALTER TABLE batches ADD COLUMN origin TEXT NOT NULL DEFAULT '';

CREATE TABLE watched_folders (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    path TEXT NOT NULL UNIQUE,
    pattern TEXT NOT NULL,
    mapping TEXT NOT NULL,
    actor TEXT NOT NULL,
    added_us INTEGER NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1))
) STRICT;

-- Files of a watched folder that were taken or refused; a changed file is looked at again.
CREATE TABLE watched_files (
    folder_id INTEGER NOT NULL REFERENCES watched_folders (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    taken_us INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (folder_id, name)
) STRICT, WITHOUT ROWID;

-- What one ingest refused is asked for by its id.
CREATE INDEX quarantine_batch ON quarantine (batch_id);
