-- What people say. A row is never changed or deleted: taking a label back is a row of its own.
CREATE TABLE label_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    action VARCHAR NOT NULL CHECK (action IN ('set', 'undo')),
    label_id BIGINT NOT NULL,
    sensor_id INTEGER NOT NULL,
    "start" TIMESTAMPTZ NOT NULL,
    "end" TIMESTAMPTZ NOT NULL,
    verdict VARCHAR NOT NULL,
    fault_class VARCHAR NOT NULL,
    note VARCHAR NOT NULL,
    event_id VARCHAR,
    version_id INTEGER,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- Who took note of an event. The first one counts.
CREATE TABLE acknowledgements (
    event_id VARCHAR PRIMARY KEY,
    sensor_id INTEGER NOT NULL,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- Every write of a person with its outcome; a write that arrives twice finds itself here.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    kind VARCHAR NOT NULL,
    payload VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    outcome VARCHAR NOT NULL
);

-- What is shown first, mirrored from results and telemetry after every scoring. Rows are replaced whole.
CREATE TABLE events (
    event_id VARCHAR NOT NULL,
    sensor_id INTEGER NOT NULL,
    version_id INTEGER NOT NULL,
    "start" TIMESTAMPTZ NOT NULL,
    "end" TIMESTAMPTZ NOT NULL,
    "open" BOOLEAN NOT NULL,
    peak_ts TIMESTAMPTZ NOT NULL,
    peak_score DOUBLE NOT NULL,
    threshold DOUBLE NOT NULL,
    probability DOUBLE NOT NULL,
    severity VARCHAR NOT NULL,
    why VARCHAR NOT NULL,
    mode VARCHAR NOT NULL,
    drivers STRUCT(sensor_id INTEGER, share DOUBLE)[] NOT NULL
);

CREATE TABLE fleet (
    sensor_id INTEGER NOT NULL,
    asset_id INTEGER NOT NULL,
    asset VARCHAR NOT NULL,
    sensor VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    as_of TIMESTAMPTZ,
    last_ts TIMESTAMPTZ,
    value DOUBLE,
    status VARCHAR NOT NULL CHECK (status IN ('ok', 'open events', 'silent', 'historical')),
    open_events INTEGER NOT NULL,
    worst VARCHAR,
    champion VARCHAR,
    champion_method VARCHAR,
    champion_kind VARCHAR,
    version_id INTEGER,
    mean_24h DOUBLE,
    min_24h DOUBLE,
    max_24h DOUBLE,
    count_24h BIGINT,
    refreshed_at TIMESTAMPTZ NOT NULL
);
