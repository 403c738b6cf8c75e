-- Limits of tenants and keys, usage by month, erasures on their way, and the audit log.

-- Of each key of the tenant, where the key has none of its own.
ALTER TABLE tenants ADD COLUMN suspended_at INTEGER;
ALTER TABLE tenants ADD COLUMN rate_per_minute INTEGER;
ALTER TABLE tenants ADD COLUMN rate_burst INTEGER;
ALTER TABLE tenants ADD COLUMN monthly_quota INTEGER;

ALTER TABLE api_keys ADD COLUMN rate_per_minute INTEGER;
ALTER TABLE api_keys ADD COLUMN rate_burst INTEGER;
ALTER TABLE api_keys ADD COLUMN monthly_quota INTEGER;

CREATE INDEX api_keys_by_tenant ON api_keys (tenant, id);

-- One row for each accepted verification, until it is counted.
CREATE TABLE usage_pending (
    tenant       BLOB    NOT NULL CHECK (length(tenant) = 16),
    key          BLOB    NOT NULL CHECK (length(key) = 16),
    verification BLOB    NOT NULL CHECK (length(verification) = 16),
    -- Such as 202611.
    month        INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    PRIMARY KEY (tenant, key, verification)
) STRICT, WITHOUT ROWID;

CREATE TABLE usage_counters (
    tenant BLOB    NOT NULL CHECK (length(tenant) = 16),
    month  INTEGER NOT NULL,
    key    BLOB    NOT NULL CHECK (length(key) = 16),
    kind   TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (tenant, month, key, kind)
) STRICT, WITHOUT ROWID;

-- Verifications that are erased and whose media may still be there.
CREATE TABLE erasures (
    verification BLOB    NOT NULL PRIMARY KEY CHECK (length(verification) = 16),
    tenant       BLOB    NOT NULL CHECK (length(tenant) = 16),
    erased_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX erasures_by_age ON erasures (erased_at);

-- Who did what to which resource, without personal data. Entries outlive what they are about: nothing is referenced.
CREATE TABLE audit_log (
    -- Its first 48 bits are the time.
    id       BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    at       INTEGER NOT NULL,
    tenant   BLOB    CHECK (length(tenant) = 16),
    actor    TEXT    NOT NULL,
    action   TEXT    NOT NULL,
    resource TEXT,
    details  TEXT    NOT NULL CHECK (json_valid(details))
) STRICT;

CREATE INDEX audit_log_by_tenant ON audit_log (tenant, id);
CREATE INDEX audit_log_by_action ON audit_log (action, id);

CREATE TRIGGER audit_log_takes_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_log_takes_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;

-- INSERT OR REPLACE deletes without a word.
CREATE TRIGGER audit_log_takes_no_replacement BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN
    SELECT raise(ABORT, 'the audit log is append-only');
END;
