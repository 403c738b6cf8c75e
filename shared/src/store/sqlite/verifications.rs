//! The life of a verification, one guarded statement for each step.

use std::borrow::Cow;
use std::time::Duration;

use async_trait::async_trait;

use super::row::{VerificationRow, columns, with_review};
use super::told::tell;
use super::{Sqlite, challenges, idempotency, usage};
use crate::domain::{
    Lane, Month, NewVerification, REQUEST_VERSION, TenantId, Timestamp, Verification, VerificationId,
};
use crate::store::{Backlog, Claim, Lease, Outcome, StoreError, VerificationStore};

const ACCEPT: &str =
    "INSERT INTO verifications (id, tenant, lane, state, created_at, offered_at, traceparent, request, version)
    VALUES (?1, ?2, ?3, 'queued', ?8, ?4, ?5, ?6, ?7)";
const OFFER: &str = "INSERT INTO outbox (verification, tenant, lane, traceparent) VALUES (?1, ?2, ?3, ?4)";
pub(super) const READ: &str =
    concat!("SELECT ", columns!(), ", ", with_review!(), " WHERE id = ?1 AND tenant = ?2");
const CANCEL: &str = "UPDATE verifications SET state = 'canceled', finished_at = ?3
    WHERE id = ?1 AND tenant = ?2 AND state = 'queued'";
pub(super) const CLAIM: &str = concat!(
    "UPDATE verifications SET state = 'processing', attempts = attempts + 1, lease_owner = ?2, lease_until = ?3,
        started_at = coalesce(started_at, ?4)
    WHERE id = ?1 AND version <= ?5 AND (state = 'queued' OR (state = 'processing' AND lease_until <= ?4))
    RETURNING ",
    columns!()
);
/// Why a row was not claimed: none of a row that is final.
const REFUSAL: &str = "SELECT version, lease_until FROM verifications
    WHERE id = ?1 AND state IN ('queued', 'processing')";
/// Its message is on its way to newer workers, so no reaper shall offer it a second time.
const LEAVE: &str = "UPDATE verifications SET offered_at = ?2 WHERE id = ?1 AND state = 'queued'";
const RENEW: &str = "UPDATE verifications SET lease_until = ?4
    WHERE id = ?1 AND state = 'processing' AND lease_owner = ?2 AND attempts = ?3";
const SUCCEED: &str = "UPDATE verifications
    SET state = 'succeeded', finished_at = ?4, report = ?5, lease_owner = NULL, lease_until = NULL
    WHERE id = ?1 AND state = 'processing' AND lease_owner = ?2 AND attempts = ?3";
const FAIL: &str = "UPDATE verifications
    SET state = 'failed', finished_at = ?4, error = ?5, lease_owner = NULL, lease_until = NULL
    WHERE id = ?1 AND state = 'processing' AND lease_owner = ?2 AND attempts = ?3";
const RETRY: &str = "UPDATE verifications
    SET state = 'queued', offered_at = ?4 - ?5, lease_owner = NULL, lease_until = NULL
    WHERE id = ?1 AND state = 'processing' AND lease_owner = ?2 AND attempts = ?3";
const GIVE_BACK: &str = "UPDATE verifications
    SET state = 'queued', offered_at = ?4, attempts = attempts - 1, lease_owner = NULL, lease_until = NULL
    WHERE id = ?1 AND state = 'processing' AND lease_owner = ?2 AND attempts = ?3";
/// Its message of the time before may still be there: the relay was killed after it had sent it.
const OFFER_AGAIN: &str = "INSERT INTO outbox (verification, tenant, lane, traceparent)
    SELECT id, tenant, lane, traceparent FROM verifications WHERE id = ?1
    ON CONFLICT (verification) DO NOTHING";
/// The state is spelt out: a partial index serves only a query that names what it is partial to.
pub(super) const QUEUED: &str = "SELECT count(*) FROM
    (SELECT 1 FROM verifications WHERE state = 'queued' AND lane = ?1 LIMIT ?2)";
const EXISTS: &str = "SELECT 1 FROM verifications WHERE id = ?1 AND tenant = ?2";
pub(super) const OWN: &str = "SELECT count(*) FROM
    (SELECT 1 FROM verifications WHERE state = 'queued' AND lane = ?1 AND tenant = ?2 LIMIT ?3)";
pub(super) const OLDEST: &str = "SELECT created_at FROM verifications
    WHERE state = 'queued' AND lane = ?1 AND tenant = ?2 AND attempts = 0 ORDER BY created_at LIMIT 1";

#[async_trait]
impl VerificationStore for Sqlite {
    async fn accept(&self, new: &NewVerification) -> Result<Timestamp, StoreError> {
        let lane = new.request.lane();
        let mut request = Cow::Borrowed(&new.request);
        let mut transaction = self.writer.begin().await?;
        let now = Timestamp::now();
        if let Some(id) = new.request.challenge_to_use()
            && let Some(standing) = challenges::consume(&mut transaction, new.tenant, id, now).await?
        {
            request.to_mut().challenge_stands(standing);
        }
        if let Some(completion) = &new.completion {
            idempotency::complete(&mut transaction, new.id, completion, now).await?;
        }
        let created_at = new.completion.as_ref().map_or(now, |completion| completion.created_at);
        sqlx::query(ACCEPT)
            .bind(new.id.as_uuid())
            .bind(new.tenant.as_uuid())
            .bind(lane.name())
            .bind(now.as_millis())
            .bind(&new.traceparent)
            .bind(serde_json::to_string(&request)?)
            .bind(request.version)
            .bind(created_at.as_millis())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(OFFER)
            .bind(new.id.as_uuid())
            .bind(new.tenant.as_uuid())
            .bind(lane.name())
            .bind(&new.traceparent)
            .execute(&mut *transaction)
            .await?;
        sqlx::query(usage::ADD)
            .bind(new.tenant.as_uuid())
            .bind(new.key.as_uuid())
            .bind(new.id.as_uuid())
            .bind(Month::of(now).number())
            .bind(new.request.kind.name())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.added.to(lane);
        Ok(created_at)
    }

    async fn verification(&self, tenant: TenantId, id: VerificationId) -> Result<Verification, StoreError> {
        let row: VerificationRow =
            sqlx::query_as(READ).bind(id.as_uuid()).bind(tenant.as_uuid()).fetch_one(&self.reader).await?;
        row.decode()
    }

    async fn cancel(&self, tenant: TenantId, id: VerificationId) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let canceled = sqlx::query(CANCEL)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .bind(Timestamp::now().as_millis())
            .execute(&mut *transaction)
            .await?;
        if canceled.rows_affected() == 0 {
            self.verification_exists(tenant, id).await?;
            return Err(StoreError::Conflict);
        }
        sqlx::query("DELETE FROM outbox WHERE verification = ?1")
            .bind(id.as_uuid())
            .execute(&mut *transaction)
            .await?;
        let told = tell(&mut transaction, *id.as_uuid()).await?;
        transaction.commit().await?;
        self.told(told);
        Ok(())
    }

    async fn claim(&self, id: VerificationId, owner: &str, lease: Duration) -> Result<Claim, StoreError> {
        let now = Timestamp::now();
        let mut transaction = self.writer.begin().await?;
        let claimed: Option<VerificationRow> = sqlx::query_as(CLAIM)
            .bind(id.as_uuid())
            .bind(owner)
            .bind(now.after(lease).as_millis())
            .bind(now.as_millis())
            .bind(REQUEST_VERSION)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(row) = claimed else {
            let refusal: Option<(u16, Option<i64>)> =
                sqlx::query_as(REFUSAL).bind(id.as_uuid()).fetch_optional(&mut *transaction).await?;
            return Ok(match refusal {
                Some((version, _)) if version > REQUEST_VERSION => {
                    sqlx::query(LEAVE)
                        .bind(id.as_uuid())
                        .bind(now.as_millis())
                        .execute(&mut *transaction)
                        .await?;
                    transaction.commit_soon().await?;
                    Claim::Newer(version)
                }
                Some((_, Some(until))) => Claim::Held(Timestamp::from_millis(until)),
                _ => Claim::Gone,
            });
        };
        transaction.commit_soon().await?;
        let held = Lease {
            id,
            tenant: TenantId::from_uuid(row.tenant),
            owner: owner.to_owned(),
            attempt: row.attempts,
        };
        Ok(match row.decode() {
            Ok(verification) => Claim::Claimed(held, Box::new(verification)),
            Err(error) => Claim::Unreadable(held, Box::new(error)),
        })
    }

    async fn renew(&self, held: &Lease, lease: Duration) -> Result<(), StoreError> {
        let renew = sqlx::query(RENEW)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt)
            .bind(Timestamp::now().after(lease).as_millis());
        let renewed = self.writer.run_soon(renew).await?;
        if renewed == 0 { Err(StoreError::Conflict) } else { Ok(()) }
    }

    async fn finish(&self, held: &Lease, outcome: &Outcome) -> Result<(), StoreError> {
        match outcome {
            Outcome::Succeeded(report) => self.end(SUCCEED, held, serde_json::to_string(report)?).await,
            Outcome::Failed(failure) => self.end(FAIL, held, serde_json::to_string(failure)?).await,
            Outcome::Retry { offered_ago } => self.retry(held, *offered_ago).await,
            Outcome::GivenBack => self.give_back(held).await,
        }
    }

    async fn backlog(&self, lane: Lane, tenant: TenantId, limit: u64) -> Result<Backlog, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let (lane, tenant) = (lane.name(), tenant.as_uuid());
        let queued: i64 = sqlx::query_scalar(QUEUED).bind(lane).bind(limit).fetch_one(&self.reader).await?;
        let own = sqlx::query_scalar(OWN).bind(lane).bind(tenant).bind(limit);
        let own: i64 = own.fetch_one(&self.reader).await?;
        let oldest = sqlx::query_scalar(OLDEST).bind(lane).bind(tenant);
        let oldest: Option<i64> = oldest.fetch_optional(&self.reader).await?;
        let age = oldest.map(|oldest| Timestamp::now().since(Timestamp::from_millis(oldest)));
        Ok(Backlog { queued: queued as u64, own: own as u64, age })
    }
}

impl Sqlite {
    /// `NotFound` where it does not exist, or not for this tenant.
    pub(super) async fn verification_exists(
        &self,
        tenant: TenantId,
        id: VerificationId,
    ) -> Result<(), StoreError> {
        let _: i64 = sqlx::query_scalar(EXISTS)
            .bind(id.as_uuid())
            .bind(tenant.as_uuid())
            .fetch_one(&self.reader)
            .await?;
        Ok(())
    }

    /// Makes it final, with that document.
    async fn end(&self, statement: &'static str, held: &Lease, document: String) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let ended = sqlx::query(statement)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt)
            .bind(Timestamp::now().as_millis())
            .bind(document)
            .execute(&mut *transaction)
            .await?;
        if ended.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        let told = tell(&mut transaction, *held.id.as_uuid()).await?;
        transaction.commit().await?;
        self.told(told);
        Ok(())
    }

    async fn retry(&self, held: &Lease, offered_ago: Duration) -> Result<(), StoreError> {
        let retry = sqlx::query(RETRY)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt)
            .bind(Timestamp::now().as_millis())
            .bind(offered_ago.as_millis() as i64);
        let retried = self.writer.run(retry).await?;
        if retried == 0 { Err(StoreError::Conflict) } else { Ok(()) }
    }

    async fn give_back(&self, held: &Lease) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin().await?;
        let given_back = sqlx::query(GIVE_BACK)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt)
            .bind(Timestamp::now().as_millis())
            .execute(&mut *transaction)
            .await?;
        if given_back.rows_affected() == 0 {
            return Err(StoreError::Conflict);
        }
        sqlx::query(OFFER_AGAIN).bind(held.id.as_uuid()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.added.to_any();
        Ok(())
    }
}
