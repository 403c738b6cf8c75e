-- Answers kept for requests that come twice, and digits that were issued to be spoken once.

CREATE TABLE idempotency_records (
    tenant       uuid        NOT NULL,
    -- SHA-256 of the client's key.
    key          bytea       NOT NULL CHECK (length(key) = 32),
    -- The request that has reserved it.
    owner        uuid        NOT NULL,
    -- The end of the reservation; once there is an answer, the end of its time.
    expires_at   timestamptz NOT NULL,
    fingerprint  bytea       CHECK (length(fingerprint) = 32),
    verification uuid,
    -- The body as it was first sent, which holds the client's metadata: set to NULL when the verification is erased.
    answer       bytea,
    PRIMARY KEY (tenant, key),
    CHECK ((verification IS NULL) = (fingerprint IS NULL)),
    CHECK (answer IS NULL OR verification IS NOT NULL)
) WITH (
    -- Rows live for a day: what counts is how many have gone.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

CREATE INDEX idempotency_records_by_expiry ON idempotency_records (expires_at);
CREATE INDEX idempotency_records_by_verification ON idempotency_records (verification) WHERE verification IS NOT NULL;

CREATE TABLE challenges (
    id         uuid        NOT NULL PRIMARY KEY,
    tenant     uuid        NOT NULL,
    digits     text        NOT NULL CHECK (digits ~ '^[0-9]{6}$'),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

CREATE INDEX challenges_by_expiry ON challenges (expires_at);
