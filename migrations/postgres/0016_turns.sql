-- What one process at a time shall do, and when it was last done.
CREATE TABLE turns (
    duty     text        NOT NULL PRIMARY KEY,
    taken_at timestamptz NOT NULL
);
