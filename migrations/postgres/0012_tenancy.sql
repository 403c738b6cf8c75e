-- Limits of tenants and keys, usage by month, erasures on their way, and the audit log.

-- Of each key of the tenant, where the key has none of its own.
ALTER TABLE tenants ADD COLUMN suspended_at timestamptz;
ALTER TABLE tenants ADD COLUMN rate_per_minute integer;
ALTER TABLE tenants ADD COLUMN rate_burst integer;
ALTER TABLE tenants ADD COLUMN monthly_quota bigint;

ALTER TABLE api_keys ADD COLUMN rate_per_minute integer;
ALTER TABLE api_keys ADD COLUMN rate_burst integer;
ALTER TABLE api_keys ADD COLUMN monthly_quota bigint;

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);

-- One row for each accepted verification, until it is counted: accepting never waits for another's counter.
CREATE TABLE usage_pending (
    tenant       uuid    NOT NULL,
    key          uuid    NOT NULL,
    verification uuid    NOT NULL,
    -- Such as 202611.
    month        integer NOT NULL,
    kind         text    NOT NULL,
    PRIMARY KEY (tenant, key, verification)
) WITH (
    -- Rows come and go by the second, as in the outbox.
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_insert_threshold = 5000,
    autovacuum_analyze_scale_factor = 0,
    autovacuum_analyze_threshold = 5000
);

CREATE TABLE usage_counters (
    tenant uuid    NOT NULL,
    month  integer NOT NULL,
    key    uuid    NOT NULL,
    kind   text    NOT NULL,
    count  bigint  NOT NULL,
    PRIMARY KEY (tenant, month, key, kind)
);

-- Verifications that are erased and whose media may still be there.
CREATE TABLE erasures (
    verification uuid        NOT NULL PRIMARY KEY,
    tenant       uuid        NOT NULL,
    erased_at    timestamptz NOT NULL
);

CREATE INDEX erasures_by_age ON erasures (erased_at);

-- Who did what to which resource, without personal data. Entries outlive what they are about: nothing is referenced.
CREATE TABLE audit_log (
    -- Its first 48 bits are the time.
    id       uuid        NOT NULL PRIMARY KEY,
    at       timestamptz NOT NULL,
    tenant   uuid,
    actor    text        NOT NULL,
    action   text        NOT NULL,
    resource text,
    details  jsonb       NOT NULL
);

CREATE INDEX audit_log_by_tenant ON audit_log (tenant, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);

CREATE FUNCTION refuse_change_of_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END
$$;

CREATE TRIGGER audit_log_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_log();
