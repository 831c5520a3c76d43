-- What a person decided about learning from verdicts. A row is never changed: the newest is in force.
CREATE TABLE learning_log (
    seq BIGINT PRIMARY KEY,
    write_id VARCHAR NOT NULL UNIQUE,
    action VARCHAR NOT NULL CHECK (action IN ('apply', 'stop')),
    likeness BOOLEAN NOT NULL,
    threshold BOOLEAN NOT NULL,
    previewed VARCHAR NOT NULL,
    actor VARCHAR NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL
);
