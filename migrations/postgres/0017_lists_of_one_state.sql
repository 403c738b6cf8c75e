-- no-transaction
-- Of the few: most rows have succeeded, and lists of those are found by tenant. The second condition is true of every
-- row and keeps this index from sweeps, which name no tenant.
CREATE INDEX CONCURRENTLY IF NOT EXISTS verifications_by_state ON verifications (tenant, state, id)
    WHERE state <> 'succeeded' AND tenant IS NOT NULL;
