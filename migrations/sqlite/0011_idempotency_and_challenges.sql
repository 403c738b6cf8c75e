-- Answers kept for requests that come twice, and digits that were issued to be spoken once.

CREATE TABLE idempotency_records (
    tenant       BLOB    NOT NULL CHECK (length(tenant) = 16),
    -- SHA-256 of the client's key.
    key          BLOB    NOT NULL CHECK (length(key) = 32),
    -- The request that has reserved it.
    owner        BLOB    NOT NULL CHECK (length(owner) = 16),
    -- The end of the reservation; once there is an answer, the end of its time.
    expires_at   INTEGER NOT NULL,
    fingerprint  BLOB    CHECK (length(fingerprint) = 32),
    verification BLOB    CHECK (length(verification) = 16),
    -- The body as it was first sent, which holds the client's metadata: set to NULL when the verification is erased.
    answer       BLOB,
    PRIMARY KEY (tenant, key),
    CHECK ((verification IS NULL) = (fingerprint IS NULL)),
    CHECK (answer IS NULL OR verification IS NOT NULL)
) STRICT;

CREATE INDEX idempotency_records_by_expiry ON idempotency_records (expires_at);
CREATE INDEX idempotency_records_by_verification ON idempotency_records (verification) WHERE verification IS NOT NULL;

CREATE TABLE challenges (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant     BLOB    NOT NULL CHECK (length(tenant) = 16),
    digits     TEXT    NOT NULL CHECK (length(digits) = 6),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) STRICT;

CREATE INDEX challenges_by_expiry ON challenges (expires_at);
