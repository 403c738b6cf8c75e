-- Times are milliseconds since the Unix epoch, ids are the 16 bytes of a UUIDv7, documents are JSON text.

CREATE TABLE tenants (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant       BLOB    NOT NULL REFERENCES tenants (id),
    -- SHA-256 of the secret, which is never stored.
    hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    label        TEXT    NOT NULL,
    scopes       TEXT    NOT NULL CHECK (json_valid(scopes)),
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT;

CREATE TABLE verifications (
    id          BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant      BLOB    NOT NULL CHECK (length(tenant) = 16),
    lane        TEXT    NOT NULL,
    state       TEXT    NOT NULL
                CHECK (state IN ('queued', 'processing', 'succeeded', 'failed', 'canceled', 'expired')),
    -- How many times a worker has claimed it.
    attempts    INTEGER NOT NULL DEFAULT 0,
    lease_owner TEXT,
    lease_until INTEGER,
    created_at  INTEGER NOT NULL,
    -- When it was last put into the outbox, or given back to the queue.
    offered_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    has_media   INTEGER NOT NULL DEFAULT 1,
    traceparent TEXT,
    -- The long ones last, so that reading the others never follows an overflow page.
    request     TEXT    NOT NULL CHECK (json_valid(request)),
    error       TEXT    CHECK (json_valid(error)),
    report      TEXT    CHECK (json_valid(report)),
    CHECK ((state = 'processing') = (lease_until IS NOT NULL)),
    CHECK ((state = 'processing') = (lease_owner IS NOT NULL)),
    CHECK ((state IN ('queued', 'processing')) = (finished_at IS NULL))
) STRICT;

-- Each holds only the rows that its sweep is about, so millions of finished rows cost a sweep nothing.
CREATE INDEX verifications_queued ON verifications (offered_at) WHERE state = 'queued';
CREATE INDEX verifications_queued_by_lane ON verifications (lane) WHERE state = 'queued';
CREATE INDEX verifications_leased ON verifications (lease_until) WHERE state = 'processing';
CREATE INDEX verifications_with_media ON verifications (finished_at) WHERE has_media = 1;
CREATE INDEX verifications_without_media ON verifications (finished_at) WHERE has_media = 0;

CREATE TABLE outbox (
    sequence     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    verification BLOB    NOT NULL UNIQUE CHECK (length(verification) = 16),
    lane         TEXT    NOT NULL,
    traceparent  TEXT
) STRICT;

CREATE INDEX outbox_by_lane ON outbox (lane, sequence);
