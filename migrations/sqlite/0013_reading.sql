-- Moderators' decisions beside the machine's, and an index for lists of one state.

-- Only ever added to; they go with their verification.
CREATE TABLE reviews (
    sequence     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    verification BLOB    NOT NULL REFERENCES verifications (id) ON DELETE CASCADE,
    decision     TEXT    NOT NULL CHECK (decision IN ('approved', 'rejected', 'escalated')),
    reason       TEXT,
    -- The API key that it came with.
    reviewer     BLOB    NOT NULL CHECK (length(reviewer) = 16),
    reviewed_at  INTEGER NOT NULL
) STRICT;

CREATE INDEX reviews_by_verification ON reviews (verification, sequence);

-- Of the few: most rows have succeeded, and lists of those are found by tenant.
CREATE INDEX verifications_by_state ON verifications (tenant, state, id) WHERE state <> 'succeeded';
