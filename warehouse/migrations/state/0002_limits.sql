-- Engineering alarm limits in the unit that is shown. A row is never changed: the newest of a sensor is in
-- force, and four NULLs take its limits away.
CREATE TABLE limit_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    sensor_id INTEGER NOT NULL,
    low_low DOUBLE,
    low DOUBLE,
    high DOUBLE,
    high_high DOUBLE,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);
