-- How a team works through events. No row of a log is ever changed: the newest is in force.

-- Who looks after an event; NULL: nobody any more.
CREATE TABLE assignment_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    sensor_id INTEGER NOT NULL,
    assignee VARCHAR,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    UNIQUE (write_id, event_id)
);

-- Until when an event stays out of the queue; NULL: it is back.
CREATE TABLE snooze_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL,
    event_id VARCHAR NOT NULL,
    sensor_id INTEGER NOT NULL,
    until TIMESTAMPTZ,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    UNIQUE (write_id, event_id)
);

-- Stretches of time in which a machine is worked on. A window is the row that set it and is taken back by a
-- row of its own.
CREATE TABLE maintenance_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    action VARCHAR NOT NULL CHECK (action IN ('set', 'end')),
    window_id BIGINT NOT NULL,
    asset_id INTEGER NOT NULL,
    "start" TIMESTAMPTZ NOT NULL,
    "end" TIMESTAMPTZ NOT NULL,
    reason VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- How much a machine matters to the plant.
CREATE TABLE criticality_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    asset_id INTEGER NOT NULL,
    level VARCHAR NOT NULL CHECK (level IN ('low', 'normal', 'high', 'vital')),
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- Views of a page kept under a name; a view is the row that saved it.
CREATE TABLE view_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    action VARCHAR NOT NULL CHECK (action IN ('save', 'remove')),
    view_id BIGINT NOT NULL,
    page VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    address VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);

-- Fault classes that people added to the list or took off it; the list's beginning is in the program.
CREATE TABLE fault_class_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    action VARCHAR NOT NULL CHECK (action IN ('add', 'retire')),
    name VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);
