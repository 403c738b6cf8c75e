-- Messages know their tenant, so that tenants take turns; rows know the version that wrote their request.

CREATE TABLE outbox_by_tenant (
    sequence     INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    verification BLOB    NOT NULL UNIQUE CHECK (length(verification) = 16),
    tenant       BLOB    NOT NULL CHECK (length(tenant) = 16),
    lane         TEXT    NOT NULL,
    traceparent  TEXT
) STRICT;

INSERT INTO outbox_by_tenant (sequence, verification, tenant, lane, traceparent)
    SELECT sequence, verification, tenant, outbox.lane, outbox.traceparent
    FROM outbox JOIN verifications ON verifications.id = verification;

DROP TABLE outbox;
ALTER TABLE outbox_by_tenant RENAME TO outbox;
CREATE INDEX outbox_by_lane_and_tenant ON outbox (lane, tenant, sequence);

ALTER TABLE verifications ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

DROP INDEX verifications_queued_by_lane;
CREATE INDEX verifications_queued_by_lane ON verifications (lane, created_at) WHERE state = 'queued';
CREATE INDEX verifications_by_tenant ON verifications (tenant, id);
