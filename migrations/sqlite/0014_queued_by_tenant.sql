DROP INDEX verifications_queued_by_lane;
CREATE INDEX verifications_queued_by_lane ON verifications (lane, tenant, attempts, created_at) WHERE state = 'queued';
