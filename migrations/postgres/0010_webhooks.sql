-- Whom a tenant wants to be told of what, and what is on its way there.

CREATE TABLE webhook_endpoints (
    id              uuid        NOT NULL PRIMARY KEY,
    tenant          uuid        NOT NULL,
    url             text        NOT NULL,
    description     text        NOT NULL,
    -- Names of events; none means all of them.
    events          jsonb       NOT NULL,
    secret          text        NOT NULL,
    previous_secret text,
    previous_until  timestamptz,
    disabled_reason text        CHECK (disabled_reason IN ('requested', 'gone', 'failing')),
    disabled_at     timestamptz,
    failing_since   timestamptz,
    created_at      timestamptz NOT NULL,
    CHECK ((disabled_reason IS NULL) = (disabled_at IS NULL)),
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);

CREATE INDEX webhook_endpoints_by_tenant ON webhook_endpoints (tenant, id);

-- What signs events to verifications' own URLs.
CREATE TABLE webhook_secrets (
    tenant          uuid NOT NULL PRIMARY KEY,
    secret          text NOT NULL,
    previous_secret text,
    previous_until  timestamptz,
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);

CREATE TABLE webhook_deliveries (
    id              uuid        NOT NULL PRIMARY KEY,
    tenant          uuid        NOT NULL,
    -- Those with the same take turns with the others: an endpoint, or the tenant for all of its verifications' own URLs.
    target          uuid        NOT NULL,
    endpoint        uuid,
    url             text,
    event           text        NOT NULL,
    verification    uuid        REFERENCES verifications (id) ON DELETE CASCADE,
    about           uuid,
    state           text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts        integer     NOT NULL DEFAULT 0,
    -- While an attempt runs, the end of its lease.
    next_attempt_at timestamptz,
    lease_owner     text,
    created_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    log             jsonb       NOT NULL DEFAULT '[]',
    CHECK ((endpoint IS NULL) = (url IS NOT NULL)),
    CHECK ((verification IS NULL) = (about IS NOT NULL)),
    CHECK ((state = 'pending') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'pending') = (finished_at IS NULL)),
    CHECK (lease_owner IS NULL OR state = 'pending')
) WITH (
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

-- Each holds only the rows that its query is about, so millions of delivered rows cost a sender nothing.
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (target, next_attempt_at) WHERE state = 'pending';
CREATE INDEX webhook_deliveries_held ON webhook_deliveries (target) WHERE lease_owner IS NOT NULL;
CREATE INDEX webhook_deliveries_finished ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint, id) WHERE endpoint IS NOT NULL;
CREATE INDEX webhook_deliveries_by_verification ON webhook_deliveries (verification) WHERE verification IS NOT NULL;
