-- no-transaction
-- The one by lane and tenant serves whoever asks for a lane alone.
DROP INDEX CONCURRENTLY IF EXISTS verifications_queued_by_lane;
