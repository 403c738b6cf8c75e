-- Whom a tenant wants to be told of what, and what is on its way there.

CREATE TABLE webhook_endpoints (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant          BLOB    NOT NULL CHECK (length(tenant) = 16),
    url             TEXT    NOT NULL,
    description     TEXT    NOT NULL,
    -- Names of events; none means all of them.
    events          TEXT    NOT NULL CHECK (json_valid(events)),
    secret          TEXT    NOT NULL,
    previous_secret TEXT,
    previous_until  INTEGER,
    disabled_reason TEXT    CHECK (disabled_reason IN ('requested', 'gone', 'failing')),
    disabled_at     INTEGER,
    failing_since   INTEGER,
    created_at      INTEGER NOT NULL,
    CHECK ((disabled_reason IS NULL) = (disabled_at IS NULL)),
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
) STRICT;

CREATE INDEX webhook_endpoints_by_tenant ON webhook_endpoints (tenant, id);

-- What signs events to verifications' own URLs.
CREATE TABLE webhook_secrets (
    tenant          BLOB    NOT NULL PRIMARY KEY CHECK (length(tenant) = 16),
    secret          TEXT    NOT NULL,
    previous_secret TEXT,
    previous_until  INTEGER,
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
) STRICT;

CREATE TABLE webhook_deliveries (
    id              BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    tenant          BLOB    NOT NULL CHECK (length(tenant) = 16),
    -- Those with the same take turns with the others: an endpoint, or the tenant for all of its verifications' own URLs.
    target          BLOB    NOT NULL CHECK (length(target) = 16),
    endpoint        BLOB,
    url             TEXT,
    event           TEXT    NOT NULL,
    verification    BLOB    REFERENCES verifications (id) ON DELETE CASCADE,
    about           BLOB,
    state           TEXT    NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- While an attempt runs, the end of its lease.
    next_attempt_at INTEGER,
    lease_owner     TEXT,
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    log             TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(log)),
    CHECK ((endpoint IS NULL) = (url IS NOT NULL)),
    CHECK ((verification IS NULL) = (about IS NOT NULL)),
    CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL)),
    CHECK (lease_owner IS NULL OR state = 'pending')
) STRICT;

-- Each holds only the rows that its query is about, so millions of delivered rows cost a sender nothing.
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (target, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_held ON webhook_deliveries (target) WHERE lease_owner IS NOT NULL;
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint, id) WHERE endpoint IS NOT NULL;
CREATE INDEX webhook_deliveries_by_verification ON webhook_deliveries (verification) WHERE verification IS NOT NULL;
