//! The sweeps: what was left lying is offered again, what is old is forgotten. Several reapers share the work: each
//! skips the rows that another has in its hands.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::Row;
use uuid::Uuid;

use super::Postgres;
use super::call::answered;
use super::row::{time, timestamp, uuids};
use super::told::{final_columns, fresh_id, told};
use crate::domain::{Failure, ProblemCode, State, Timestamp, VerificationId};
use crate::store::{Reoffered, StoreError, Upkeep};

/// A lease has expired when the caller and the database both say so: a caller's clock may be wrong. Every state is spelt
/// out: a partial index serves only a query that names what it is partial to.
pub(super) const REOFFER: &str = concat!(
    "WITH
    expired AS MATERIALIZED (
        SELECT id FROM verifications
        WHERE state = 'processing' AND lease_until < least($1, now())
        ORDER BY id LIMIT $4 FOR UPDATE SKIP LOCKED
    ),
    forgotten AS MATERIALIZED (
        SELECT id FROM verifications WHERE state = 'queued' AND finished_at IS NULL AND offered_at < $2
        ORDER BY offered_at LIMIT $4 - (SELECT count(*) FROM expired) FOR UPDATE SKIP LOCKED
    ),
    exhausted AS (
        UPDATE verifications
        SET state = 'failed', finished_at = now(), error = $5::jsonb, lease_owner = NULL, lease_until = NULL
        WHERE id = ANY (ARRAY(SELECT id FROM expired UNION ALL SELECT id FROM forgotten)) AND attempts >= $3
        RETURNING ",
    final_columns!(),
    "), ",
    told!("exhausted"),
    ",
    stale AS (
        UPDATE verifications
        SET state = 'queued', offered_at = now(), lease_owner = NULL, lease_until = NULL
        WHERE id = ANY (ARRAY(SELECT id FROM expired UNION ALL SELECT id FROM forgotten)) AND attempts < $3
        RETURNING id, tenant, lane, traceparent
    ),
    offered AS (
        INSERT INTO outbox (verification, tenant, lane, traceparent) SELECT * FROM stale ORDER BY id
        ON CONFLICT (verification) DO NOTHING
    )
    SELECT id, true AS exhausted FROM exhausted UNION ALL SELECT id, false FROM stale"
);
const EXHAUST_ALL: &str = concat!(
    "WITH exhausted AS (
        UPDATE verifications
        SET state = 'failed', finished_at = now(), error = $1::jsonb, lease_owner = NULL, lease_until = NULL
        WHERE state IN ('queued', 'processing') AND attempts >= $2
        RETURNING ",
    final_columns!(),
    "), ",
    told!("exhausted"),
    " SELECT id FROM exhausted"
);
const RELEASE_ALL: &str = "UPDATE verifications
    SET state = 'queued', offered_at = now(), lease_owner = NULL, lease_until = NULL WHERE state = 'processing'";
const OFFER_ALL: &str = "INSERT INTO outbox (verification, tenant, lane, traceparent)
    SELECT id, tenant, lane, traceparent FROM verifications WHERE state = 'queued' ORDER BY id
    ON CONFLICT (verification) DO NOTHING";
pub(super) const MEDIA_DUE: &str = "SELECT id FROM verifications WHERE has_media AND finished_at < $1
    ORDER BY finished_at LIMIT $2";
pub(super) const MEDIA_DELETED: &str =
    "UPDATE verifications SET has_media = false WHERE id = ANY ($1) AND has_media";
pub(super) const DELETE_FINISHED: &str = "DELETE FROM verifications WHERE id = ANY (ARRAY(
        SELECT id FROM verifications WHERE NOT has_media AND finished_at < $1
        ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ))";
/// A reaper's clock may be wrong, and until its time is over an answer is promised.
pub(super) const DELETE_ANSWERS: &str = "DELETE FROM idempotency_records WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM idempotency_records WHERE expires_at < least($1, now())
        ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ))";
pub(super) const DELETE_CHALLENGES: &str = "DELETE FROM challenges WHERE id = ANY (ARRAY(
        SELECT id FROM challenges WHERE expires_at < $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
    ))";
pub(super) const KNOWN: &str = "SELECT id FROM verifications WHERE id = ANY ($1)";
pub(super) const UNFINISHED: &str = "SELECT
    (SELECT count(*) FROM verifications WHERE state = 'queued'),
    (SELECT count(*) FROM verifications WHERE state = 'processing')";

/// Of several who ask at once, the others wait for the first one's row, and then find it too young.
pub(super) const TAKE_TURN: &str = "INSERT INTO turns (duty, taken_at) VALUES ($1, $2)
    ON CONFLICT (duty) DO UPDATE SET taken_at = excluded.taken_at WHERE turns.taken_at <= $3";

#[async_trait]
impl Upkeep for Postgres {
    async fn reoffer(
        &self,
        now: Timestamp,
        offered_before: Timestamp,
        max_attempts: u32,
        limit: u32,
    ) -> Result<Reoffered, StoreError> {
        let reoffer = sqlx::query_as(REOFFER)
            .bind(time(now))
            .bind(time(offered_before))
            .bind(attempts(max_attempts))
            .bind(i64::from(limit))
            .bind(exhaustion()?);
        let swept: Vec<(Uuid, bool)> = self.requests.all(reoffer).await?;
        let exhausted: Vec<Uuid> =
            swept.iter().filter(|(_, exhausted)| *exhausted).map(|(id, _)| *id).collect();
        let offered = swept.len() - exhausted.len();
        if offered > 0 {
            self.added.to_any();
        }
        // Perhaps somebody is to be told of them.
        self.told(exhausted.len() as i64);
        Ok(Reoffered { offered: offered as u64, exhausted: ids(exhausted) })
    }

    async fn recover(&self, max_attempts: u32) -> Result<Reoffered, StoreError> {
        let mut held = self.requests.hold().await?;
        answered(sqlx::raw_sql("BEGIN").execute(held.connection())).await?;
        let exhaust = sqlx::query(EXHAUST_ALL).bind(exhaustion()?).bind(attempts(max_attempts));
        let exhausted = answered(exhaust.fetch_all(held.connection())).await?;
        let exhausted: Result<Vec<Uuid>, sqlx::Error> = exhausted.iter().map(|row| row.try_get(0)).collect();
        answered(sqlx::query(RELEASE_ALL).execute(held.connection())).await?;
        answered(sqlx::query(OFFER_ALL).execute(held.connection())).await?;
        let count = answered(sqlx::query_as(UNFINISHED).fetch_one(held.connection()));
        let (offered, _): (i64, i64) = count.await?;
        answered(sqlx::raw_sql("COMMIT").execute(held.connection())).await?;
        held.release();
        self.added.to_any();
        self.deliveries_added.notify_one();
        Ok(Reoffered { offered: offered as u64, exhausted: ids(exhausted?) })
    }

    async fn media_due(
        &self,
        finished_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<VerificationId>, StoreError> {
        let due = sqlx::query_as(MEDIA_DUE).bind(time(finished_before)).bind(i64::from(limit));
        let due: Vec<(Uuid,)> = self.requests.all(due).await?;
        Ok(ids(due.into_iter().map(|(id,)| id)))
    }

    async fn media_deleted(&self, ids: &[VerificationId]) -> Result<(), StoreError> {
        if ids.is_empty() {
            return Ok(());
        }
        self.requests.run(sqlx::query(MEDIA_DELETED).bind(uuids(ids))).await?;
        Ok(())
    }

    async fn delete_finished(&self, finished_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete = sqlx::query(DELETE_FINISHED).bind(time(finished_before)).bind(i64::from(limit));
        self.requests.run(delete).await
    }

    async fn delete_answers(&self, expired_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete = sqlx::query(DELETE_ANSWERS).bind(time(expired_before)).bind(i64::from(limit));
        self.requests.run(delete).await
    }

    async fn delete_challenges(&self, expired_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete = sqlx::query(DELETE_CHALLENGES).bind(time(expired_before)).bind(i64::from(limit));
        self.requests.run(delete).await
    }

    async fn unknown(&self, ids: &[VerificationId]) -> Result<Vec<VerificationId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let known: Vec<(Uuid,)> = self.requests.all(sqlx::query_as(KNOWN).bind(uuids(ids))).await?;
        let known: HashSet<Uuid> = known.into_iter().map(|(id,)| id).collect();
        Ok(ids.iter().filter(|id| !known.contains(id.as_uuid())).copied().collect())
    }

    async fn take_turn(&self, duty: &str, now: Timestamp, every: Duration) -> Result<bool, StoreError> {
        let take = sqlx::query(TAKE_TURN).bind(duty).bind(time(now)).bind(time(now.before(every)));
        Ok(self.requests.run(take).await? > 0)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let now: Option<(DateTime<Utc>,)> = self.requests.first(sqlx::query_as("SELECT now()")).await?;
        Ok(now.map_or_else(Timestamp::now, |(now,)| timestamp(now)))
    }

    async fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let counts: Option<(i64, i64)> = self.requests.first(sqlx::query_as(UNFINISHED)).await?;
        let (queued, processing) = counts.unwrap_or_default();
        Ok(vec![(State::Queued, queued as u64), (State::Processing, processing as u64)])
    }
}

fn ids(uuids: impl IntoIterator<Item = Uuid>) -> Vec<VerificationId> {
    uuids.into_iter().map(VerificationId::from_uuid).collect()
}

fn attempts(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What a row that has used its attempts says.
fn exhaustion() -> Result<String, StoreError> {
    let failure = Failure::new(ProblemCode::Internal, "every attempt was cut short");
    Ok(serde_json::to_string(&failure)?)
}
