-- Moderators' decisions beside the machine's: only ever added to; they go with their verification.
CREATE TABLE reviews (
    sequence     bigint      NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    verification uuid        NOT NULL REFERENCES verifications (id) ON DELETE CASCADE,
    decision     text        NOT NULL CHECK (decision IN ('approved', 'rejected', 'escalated')),
    reason       text,
    -- The API key that it came with.
    reviewer     uuid        NOT NULL,
    reviewed_at  timestamptz NOT NULL
);

CREATE INDEX reviews_by_verification ON reviews (verification, sequence);
