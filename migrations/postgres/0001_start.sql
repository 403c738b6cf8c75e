-- Ids are UUIDv7, documents are JSON. Rows are inserted about in the order of their ids, so the ends of the indexes
-- stay in memory however many rows there are.

CREATE TABLE tenants (
    id         uuid        NOT NULL PRIMARY KEY,
    name       text        NOT NULL UNIQUE,
    created_at timestamptz NOT NULL
);

CREATE TABLE api_keys (
    id           uuid        NOT NULL PRIMARY KEY,
    tenant       uuid        NOT NULL REFERENCES tenants (id),
    -- SHA-256 of the secret, which is never stored.
    hash         bytea       NOT NULL UNIQUE CHECK (length(hash) = 32),
    label        text        NOT NULL,
    scopes       jsonb       NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

CREATE TABLE verifications (
    id          uuid        NOT NULL PRIMARY KEY,
    tenant      uuid        NOT NULL,
    lane        text        NOT NULL,
    state       text        NOT NULL
                CHECK (state IN ('queued', 'processing', 'succeeded', 'failed', 'canceled', 'expired')),
    -- Of the request; older builds leave newer ones alone.
    version     integer     NOT NULL,
    -- How many times a worker has claimed it.
    attempts    integer     NOT NULL DEFAULT 0,
    has_media   boolean     NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL,
    -- When it was last put into the outbox, or given back to the queue.
    offered_at  timestamptz NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz,
    lease_until timestamptz,
    lease_owner text,
    traceparent text,
    request     jsonb       NOT NULL,
    error       jsonb,
    report      jsonb,
    CHECK ((state = 'processing') = (lease_until IS NOT NULL)),
    CHECK ((state = 'processing') = (lease_owner IS NOT NULL)),
    CHECK ((state IN ('queued', 'processing')) = (finished_at IS NULL))
) WITH (
    -- Every job leaves three or four dead versions of its row. A fifth of ten million rows, the default, would be too many.
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_vacuum_insert_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.02
);

CREATE INDEX verifications_by_tenant ON verifications (tenant, id);

-- Each holds only the rows that its query is about, so millions of finished rows cost a sweep nothing.
-- The second condition is true of every queued row. It keeps this index from those who ask for a lane: with no queued row
-- in its statistics, the planner would take either index for theirs.
CREATE INDEX verifications_queued ON verifications (offered_at) WHERE state = 'queued' AND finished_at IS NULL;
CREATE INDEX verifications_queued_by_lane ON verifications (lane, attempts, created_at) WHERE state = 'queued';
-- Not by lease_until: these are as few as the workers' permits, and a renewal that changes no indexed column touches no
-- index at all.
CREATE INDEX verifications_processing ON verifications (id) WHERE state = 'processing';
CREATE INDEX verifications_with_media ON verifications (finished_at) WHERE has_media AND finished_at IS NOT NULL;
CREATE INDEX verifications_without_media ON verifications (finished_at) WHERE NOT has_media AND finished_at IS NOT NULL;

CREATE TABLE outbox (
    sequence     bigint NOT NULL PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    verification uuid   NOT NULL UNIQUE,
    tenant       uuid   NOT NULL,
    lane         text   NOT NULL,
    traceparent  text
) WITH (
    -- Rows come and go by the second: what counts is how many have gone, not how many are there.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 5000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 5000
);

CREATE INDEX outbox_by_lane_and_tenant ON outbox (lane, tenant, sequence);
