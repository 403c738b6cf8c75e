-- What one process at a time shall do, and when it was last done.
CREATE TABLE turns (
    duty     TEXT    NOT NULL PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT;
