-- no-transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS verifications_queued_by_lane_and_tenant
    ON verifications (lane, tenant, attempts, created_at) WHERE state = 'queued';
