//! The sweeps: what was left lying is offered again, what is old is forgotten.

use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use super::Sqlite;
use super::row::hexadecimal_array;
use super::told::tell_all;
use crate::domain::{Failure, ProblemCode, State, Timestamp, VerificationId};
use crate::store::{Reoffered, StoreError, Upkeep};

// Every state is spelt out: a partial index serves only a query that names what it is partial to.
pub(super) const EXHAUST: &str = "UPDATE verifications
    SET state = 'failed', finished_at = ?1, error = ?2, lease_owner = NULL, lease_until = NULL
    WHERE id IN (
        SELECT id FROM verifications WHERE state = 'processing' AND lease_until < ?3 AND attempts >= ?5
        UNION ALL
        SELECT id FROM verifications
        WHERE state = 'queued' AND offered_at < ?4 AND attempts >= ?5
        LIMIT ?6
    )
    RETURNING id";
pub(super) const REOFFER: &str = "UPDATE verifications
    SET state = 'queued', offered_at = ?1, lease_owner = NULL, lease_until = NULL
    WHERE id IN (
        SELECT id FROM verifications WHERE state = 'processing' AND lease_until < ?2
        UNION ALL
        SELECT id FROM verifications
        WHERE state = 'queued' AND offered_at < ?3
        LIMIT ?4
    )
    RETURNING id, tenant, lane, traceparent";
const OFFER: &str = "INSERT INTO outbox (verification, tenant, lane, traceparent) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (verification) DO NOTHING";
const RELEASE_ALL: &str = "UPDATE verifications
    SET state = 'queued', offered_at = ?1, lease_owner = NULL, lease_until = NULL WHERE state = 'processing'";
const OFFER_ALL: &str = "INSERT INTO outbox (verification, tenant, lane, traceparent)
    SELECT id, tenant, lane, traceparent FROM verifications WHERE state = 'queued' ORDER BY id
    ON CONFLICT (verification) DO NOTHING";
pub(super) const MEDIA_DUE: &str = "SELECT id FROM verifications WHERE has_media = 1 AND finished_at < ?1
    ORDER BY finished_at LIMIT ?2";
pub(super) const DELETE_FINISHED: &str = "DELETE FROM verifications WHERE id IN
    (SELECT id FROM verifications WHERE has_media = 0 AND finished_at < ?1 ORDER BY finished_at LIMIT ?2)";
pub(super) const DELETE_ANSWERS: &str = "DELETE FROM idempotency_records WHERE rowid IN
    (SELECT rowid FROM idempotency_records WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
pub(super) const DELETE_CHALLENGES: &str = "DELETE FROM challenges WHERE id IN
    (SELECT id FROM challenges WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)";
pub(super) const UNFINISHED: &str = "SELECT
    (SELECT count(*) FROM verifications WHERE state = 'queued'),
    (SELECT count(*) FROM verifications WHERE state = 'processing')";

const TAKE_TURN: &str = "INSERT INTO turns (duty, taken_at) VALUES (?1, ?2)
    ON CONFLICT (duty) DO UPDATE SET taken_at = excluded.taken_at WHERE turns.taken_at <= ?3";

/// Later than every time that a row can hold.
const EVER: i64 = i64::MAX;

#[async_trait]
impl Upkeep for Sqlite {
    async fn reoffer(
        &self,
        now: Timestamp,
        offered_before: Timestamp,
        max_attempts: u32,
        limit: u32,
    ) -> Result<Reoffered, StoreError> {
        let mut transaction = self.writer.begin().await?;
        let exhausted: Vec<Uuid> = sqlx::query_scalar(EXHAUST)
            .bind(now.as_millis())
            .bind(exhaustion()?)
            .bind(now.as_millis())
            .bind(offered_before.as_millis())
            .bind(max_attempts)
            .bind(limit)
            .fetch_all(&mut *transaction)
            .await?;
        let told = tell_all(&mut transaction, &exhausted).await?;
        let stale: Vec<(Uuid, Uuid, String, Option<String>)> = sqlx::query_as(REOFFER)
            .bind(now.as_millis())
            .bind(now.as_millis())
            .bind(offered_before.as_millis())
            .bind(limit)
            .fetch_all(&mut *transaction)
            .await?;
        for (id, tenant, lane, traceparent) in &stale {
            let offer = sqlx::query(OFFER).bind(id).bind(tenant).bind(lane).bind(traceparent);
            offer.execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        if !stale.is_empty() {
            self.added.to_any();
        }
        self.told(told);
        Ok(Reoffered { offered: stale.len() as u64, exhausted: ids(exhausted) })
    }

    async fn recover(&self, max_attempts: u32) -> Result<Reoffered, StoreError> {
        let now = Timestamp::now().as_millis();
        let mut transaction = self.writer.begin().await?;
        let exhausted: Vec<Uuid> = sqlx::query_scalar(EXHAUST)
            .bind(now)
            .bind(exhaustion()?)
            .bind(EVER)
            .bind(EVER)
            .bind(max_attempts)
            .bind(-1)
            .fetch_all(&mut *transaction)
            .await?;
        let told = tell_all(&mut transaction, &exhausted).await?;
        sqlx::query(RELEASE_ALL).bind(now).execute(&mut *transaction).await?;
        sqlx::query(OFFER_ALL).execute(&mut *transaction).await?;
        let offered: i64 = sqlx::query_scalar("SELECT count(*) FROM verifications WHERE state = 'queued'")
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.added.to_any();
        self.told(told);
        Ok(Reoffered { offered: offered as u64, exhausted: ids(exhausted) })
    }

    async fn media_due(
        &self,
        finished_before: Timestamp,
        limit: u32,
    ) -> Result<Vec<VerificationId>, StoreError> {
        let due: Vec<Uuid> = sqlx::query_scalar(MEDIA_DUE)
            .bind(finished_before.as_millis())
            .bind(limit)
            .fetch_all(&self.reader)
            .await?;
        Ok(ids(due))
    }

    async fn media_deleted(&self, ids: &[VerificationId]) -> Result<(), StoreError> {
        let gone = sqlx::query(
            "UPDATE verifications SET has_media = 0 WHERE id IN (SELECT unhex(value) FROM json_each(?1))",
        )
        .bind(hexadecimal_array(ids));
        self.writer.run_soon(gone).await?;
        Ok(())
    }

    async fn delete_finished(&self, finished_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete = sqlx::query(DELETE_FINISHED).bind(finished_before.as_millis()).bind(limit);
        self.writer.run(delete).await
    }

    async fn delete_answers(&self, expired_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete =
            sqlx::query(DELETE_ANSWERS).bind(expired_before.min(Timestamp::now()).as_millis()).bind(limit);
        self.writer.run(delete).await
    }

    async fn delete_challenges(&self, expired_before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let delete = sqlx::query(DELETE_CHALLENGES).bind(expired_before.as_millis()).bind(limit);
        self.writer.run(delete).await
    }

    async fn unknown(&self, ids: &[VerificationId]) -> Result<Vec<VerificationId>, StoreError> {
        let positions: Vec<i64> = sqlx::query_scalar(
            "SELECT key FROM json_each(?1)
            WHERE NOT EXISTS (SELECT 1 FROM verifications WHERE id = unhex(value)) ORDER BY key",
        )
        .bind(hexadecimal_array(ids))
        .fetch_all(&self.reader)
        .await?;
        Ok(positions.into_iter().filter_map(|position| ids.get(position as usize).copied()).collect())
    }

    async fn take_turn(&self, duty: &str, now: Timestamp, every: Duration) -> Result<bool, StoreError> {
        let take =
            sqlx::query(TAKE_TURN).bind(duty).bind(now.as_millis()).bind(now.before(every).as_millis());
        let taken = self.writer.run_soon(take).await?;
        Ok(taken > 0)
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::now())
    }

    async fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let (queued, processing): (i64, i64) = sqlx::query_as(UNFINISHED).fetch_one(&self.reader).await?;
        Ok(vec![(State::Queued, queued as u64), (State::Processing, processing as u64)])
    }
}

fn ids(uuids: Vec<Uuid>) -> Vec<VerificationId> {
    uuids.into_iter().map(VerificationId::from_uuid).collect()
}

/// What a row that has used its attempts says.
fn exhaustion() -> Result<String, StoreError> {
    let failure = Failure::new(ProblemCode::Internal, "every attempt was cut short");
    Ok(serde_json::to_string(&failure)?)
}
