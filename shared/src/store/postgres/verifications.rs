//! The life of a verification, one guarded statement for each step.
//!
//! Times are the database's own: the clocks of several machines disagree.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::Postgres;
use super::row::{VerificationRow, columns, time, timestamp, with_review};
use super::told::{final_columns, fresh_id, told};
use crate::domain::{
    Lane, NewVerification, REQUEST_VERSION, Request, Standing, TenantId, Timestamp, Verification,
    VerificationId,
};
use crate::store::{Backlog, Claim, Lease, Outcome, StoreError, VerificationStore};

/// All rows in one statement, which is a transaction of its own.
const ACCEPT: &str = "WITH accepted AS (
        INSERT INTO verifications (id, tenant, lane, state, created_at, offered_at, traceparent, request, version)
        VALUES ($1, $2, $3, 'queued', now(), now(), $4, $5::jsonb, $6)
        RETURNING id, tenant, lane, traceparent, created_at
    ),
    counted AS (
        INSERT INTO usage_pending (tenant, key, verification, month, kind)
        SELECT tenant, $7, id, to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::integer, $8 FROM accepted
    )
    INSERT INTO outbox (verification, tenant, lane, traceparent) SELECT id, tenant, lane, traceparent FROM accepted
    RETURNING (SELECT created_at FROM accepted)";
/// As [`ACCEPT`], and what else belongs to the same transaction: the answer of an idempotency key ($9 to $14), without
/// whose reservation nothing is written, and a challenge ($15) that is used up if it is open. If it is not, $16 has what
/// to change in the request, by how the challenge stands.
pub(super) const ACCEPT_WITH: &str = "WITH kept AS (
        UPDATE idempotency_records
        SET fingerprint = $11, verification = $1, answer = $12, expires_at = now() + make_interval(secs => $13)
        WHERE tenant = $2 AND key = $9 AND owner = $10 AND verification IS NULL
        RETURNING owner
    ),
    used AS (
        UPDATE challenges SET used_at = now()
        WHERE id = $15 AND tenant = $2 AND used_at IS NULL AND expires_at > now()
            AND ($9::bytea IS NULL OR EXISTS (SELECT FROM kept))
        RETURNING id
    ),
    document AS (
        SELECT $5::jsonb || CASE
            WHEN $15::uuid IS NULL OR EXISTS (SELECT FROM used) THEN '{}'::jsonb
            ELSE $16::jsonb -> (SELECT CASE
                WHEN count(*) = 0 THEN 'unknown'
                -- One that still looks open was used by another since this statement began.
                WHEN bool_and(used_at IS NULL AND expires_at <= now()) THEN 'expired'
                ELSE 'used'
            END FROM challenges WHERE id = $15 AND tenant = $2)
        END AS request
    ),
    accepted AS (
        INSERT INTO verifications (id, tenant, lane, state, created_at, offered_at, traceparent, request, version)
        SELECT $1, $2, $3, 'queued', coalesce($14, now()), now(), $4, request,
            coalesce((request ->> 'version')::integer, $6)
        FROM document WHERE $9::bytea IS NULL OR EXISTS (SELECT FROM kept)
        RETURNING id, tenant, lane, traceparent, created_at
    ),
    counted AS (
        INSERT INTO usage_pending (tenant, key, verification, month, kind)
        SELECT tenant, $7, id, to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::integer, $8 FROM accepted
    )
    INSERT INTO outbox (verification, tenant, lane, traceparent) SELECT id, tenant, lane, traceparent FROM accepted
    RETURNING (SELECT created_at FROM accepted)";
pub(super) const READ: &str =
    concat!("SELECT ", columns!(), ", ", with_review!(), " WHERE id = $1 AND tenant = $2");
/// A message that a relay has in its hands is left to it; nobody takes it for work.
pub(super) const CANCEL: &str = concat!(
    "WITH canceled AS (
        UPDATE verifications SET state = 'canceled', finished_at = now()
        WHERE id = $1 AND tenant = $2 AND state = 'queued'
        RETURNING ",
    final_columns!(),
    "),
    removed AS (
        DELETE FROM outbox WHERE sequence IN (
            SELECT sequence FROM outbox WHERE verification IN (SELECT id FROM canceled) FOR UPDATE SKIP LOCKED
        )
    ), ",
    told!("canceled"),
    " SELECT (SELECT count(*) FROM told) FROM canceled"
);
pub(super) const EXISTS: &str = "SELECT id FROM verifications WHERE id = $1 AND tenant = $2";
pub(super) const CLAIM: &str = concat!(
    "UPDATE verifications SET state = 'processing', attempts = attempts + 1, lease_owner = $2,
        lease_until = now() + make_interval(secs => $3), started_at = coalesce(started_at, now())
    WHERE id = $1 AND version <= $4 AND (state = 'queued' OR (state = 'processing' AND lease_until <= now()))
    RETURNING ",
    columns!()
);
/// Why a row was not claimed: none of a row that is final.
const REFUSAL: &str = "SELECT version, lease_until FROM verifications
    WHERE id = $1 AND state IN ('queued', 'processing')";
/// Its message is on its way to newer workers, so no reaper shall offer it a second time.
const LEAVE: &str = "UPDATE verifications SET offered_at = now() WHERE id = $1 AND state = 'queued'";
pub(super) const RENEW: &str = "UPDATE verifications SET lease_until = now() + make_interval(secs => $4)
    WHERE id = $1 AND state = 'processing' AND lease_owner = $2 AND attempts = $3";
pub(super) const SUCCEED: &str = concat!(
    "WITH finished AS (
        UPDATE verifications
        SET state = 'succeeded', finished_at = now(), report = $4::jsonb, lease_owner = NULL, lease_until = NULL
        WHERE id = $1 AND state = 'processing' AND lease_owner = $2 AND attempts = $3
        RETURNING ",
    final_columns!(),
    "), ",
    told!("finished"),
    " SELECT (SELECT count(*) FROM told) FROM finished"
);
const FAIL: &str = concat!(
    "WITH finished AS (
        UPDATE verifications
        SET state = 'failed', finished_at = now(), error = $4::jsonb, lease_owner = NULL, lease_until = NULL
        WHERE id = $1 AND state = 'processing' AND lease_owner = $2 AND attempts = $3
        RETURNING ",
    final_columns!(),
    "), ",
    told!("finished"),
    " SELECT (SELECT count(*) FROM told) FROM finished"
);
const RETRY: &str = "UPDATE verifications
    SET state = 'queued', offered_at = now() - make_interval(secs => $4), lease_owner = NULL, lease_until = NULL
    WHERE id = $1 AND state = 'processing' AND lease_owner = $2 AND attempts = $3";
/// The message of the time before may still be in the outbox: its relay was killed after it had sent it.
const GIVE_BACK: &str = "WITH given_back AS (
        UPDATE verifications
        SET state = 'queued', offered_at = now(), attempts = attempts - 1, lease_owner = NULL, lease_until = NULL
        WHERE id = $1 AND state = 'processing' AND lease_owner = $2 AND attempts = $3
        RETURNING id, tenant, lane, traceparent
    )
    INSERT INTO outbox (verification, tenant, lane, traceparent) SELECT * FROM given_back
    ON CONFLICT (verification) DO UPDATE SET lane = excluded.lane";
/// The state is spelt out: a partial index serves only a query that names what it is partial to.
pub(super) const BACKLOG: &str = "SELECT
    (SELECT count(*) FROM (SELECT 1 FROM verifications WHERE state = 'queued' AND lane = $1 LIMIT $3) AS queued),
    (SELECT count(*) FROM (
        SELECT 1 FROM verifications WHERE state = 'queued' AND lane = $1 AND tenant = $2 LIMIT $3
    ) AS own),
    (SELECT extract(epoch FROM now() - created_at)::float8 FROM verifications
        WHERE state = 'queued' AND lane = $1 AND tenant = $2 AND attempts = 0
        ORDER BY created_at LIMIT 1)";

/// How often a claim is tried when the row changes hands between the refusal and the question why.
const CLAIM_TRIES: u32 = 3;

#[async_trait]
impl VerificationStore for Postgres {
    async fn accept(&self, new: &NewVerification) -> Result<Timestamp, StoreError> {
        let challenge = new.request.challenge_to_use();
        let is_plain = new.completion.is_none() && challenge.is_none();
        let accept = sqlx::query_as(if is_plain { ACCEPT } else { ACCEPT_WITH })
            .bind(new.id.as_uuid())
            .bind(new.tenant.as_uuid())
            .bind(new.request.lane().name())
            .bind(&new.traceparent)
            .bind(serde_json::to_string(&new.request)?)
            .bind(i32::from(new.request.version))
            .bind(new.key.as_uuid())
            .bind(new.request.kind.name());
        let accept = if is_plain {
            accept
        } else {
            let completion = new.completion.as_ref();
            accept
                .bind(completion.map(|completion| &completion.reservation.key[..]))
                .bind(completion.map(|completion| completion.reservation.owner))
                .bind(completion.map(|completion| &completion.fingerprint.as_bytes()[..]))
                .bind(completion.map(|completion| &completion.answer[..]))
                .bind(completion.map(|completion| completion.keep.as_secs_f64()))
                .bind(completion.map(|completion| time(completion.created_at)))
                .bind(challenge.map(|id| *id.as_uuid()))
                .bind(if_not_open(&new.request))
        };
        let accepted: Option<(DateTime<Utc>,)> = self.requests.first(accept).await?;
        let (created_at,) = accepted.ok_or(StoreError::Conflict)?;
        self.added.to(new.request.lane());
        Ok(timestamp(created_at))
    }

    async fn verification(&self, tenant: TenantId, id: VerificationId) -> Result<Verification, StoreError> {
        let read = sqlx::query_as(READ).bind(id.as_uuid()).bind(tenant.as_uuid());
        let row: Option<VerificationRow> = self.requests.first(read).await?;
        row.ok_or(StoreError::NotFound)?.decode()
    }

    async fn cancel(&self, tenant: TenantId, id: VerificationId) -> Result<(), StoreError> {
        let cancel = sqlx::query_as(CANCEL).bind(id.as_uuid()).bind(tenant.as_uuid());
        let canceled: Option<(i64,)> = self.requests.first(cancel).await?;
        if let Some((told,)) = canceled {
            self.told(told);
            return Ok(());
        }
        self.verification_exists(tenant, id).await?;
        Err(StoreError::Conflict)
    }

    async fn claim(&self, id: VerificationId, owner: &str, lease: Duration) -> Result<Claim, StoreError> {
        for _ in 0..CLAIM_TRIES {
            let claim = sqlx::query_as(CLAIM)
                .bind(id.as_uuid())
                .bind(owner)
                .bind(lease.as_secs_f64())
                .bind(i32::from(REQUEST_VERSION));
            let claimed: Option<VerificationRow> = self.requests.first(claim).await?;
            if let Some(row) = claimed {
                return Ok(claimed_by(owner, row));
            }
            let refusal = sqlx::query_as(REFUSAL).bind(id.as_uuid());
            let refusal: Option<(i32, Option<DateTime<Utc>>)> = self.requests.first(refusal).await?;
            match refusal {
                Some((version, _)) if version > i32::from(REQUEST_VERSION) => {
                    self.requests.run(sqlx::query(LEAVE).bind(id.as_uuid())).await?;
                    return Ok(Claim::Newer(u16::try_from(version).unwrap_or(u16::MAX)));
                }
                Some((_, Some(until))) => return Ok(Claim::Held(timestamp(until))),
                None => return Ok(Claim::Gone),
                // It was held when it was refused, and was given back since.
                Some((_, None)) => {}
            }
        }
        Ok(Claim::Held(Timestamp::now()))
    }

    async fn renew(&self, held: &Lease, lease: Duration) -> Result<(), StoreError> {
        let renew = sqlx::query(RENEW)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt as i32)
            .bind(lease.as_secs_f64());
        if self.requests.run(renew).await? == 0 { Err(StoreError::Conflict) } else { Ok(()) }
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
        let backlog = sqlx::query_as(BACKLOG).bind(lane.name()).bind(tenant.as_uuid()).bind(limit);
        let backlog: Option<(i64, i64, Option<f64>)> = self.requests.first(backlog).await?;
        let (queued, own, age) = backlog.unwrap_or_default();
        let age = age.map(|seconds| Duration::from_secs_f64(seconds.max(0.0)));
        Ok(Backlog { queued: queued as u64, own: own as u64, age })
    }
}

impl Postgres {
    /// `NotFound` where it does not exist, or not for this tenant.
    pub(super) async fn verification_exists(
        &self,
        tenant: TenantId,
        id: VerificationId,
    ) -> Result<(), StoreError> {
        let exists = sqlx::query_as(EXISTS).bind(id.as_uuid()).bind(tenant.as_uuid());
        let row: Option<(Uuid,)> = self.requests.first(exists).await?;
        row.map(|_| ()).ok_or(StoreError::NotFound)
    }

    /// Makes it final, with that document.
    async fn end(&self, statement: &'static str, held: &Lease, document: String) -> Result<(), StoreError> {
        let end = sqlx::query_as(statement)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt as i32)
            .bind(document);
        let ended: Option<(i64,)> = self.requests.first(end).await?;
        let (told,) = ended.ok_or(StoreError::Conflict)?;
        self.told(told);
        Ok(())
    }

    async fn retry(&self, held: &Lease, offered_ago: Duration) -> Result<(), StoreError> {
        let retry = sqlx::query(RETRY)
            .bind(held.id.as_uuid())
            .bind(&held.owner)
            .bind(held.attempt as i32)
            .bind(offered_ago.as_secs_f64());
        if self.requests.run(retry).await? == 0 { Err(StoreError::Conflict) } else { Ok(()) }
    }

    async fn give_back(&self, held: &Lease) -> Result<(), StoreError> {
        let give_back =
            sqlx::query(GIVE_BACK).bind(held.id.as_uuid()).bind(&held.owner).bind(held.attempt as i32);
        if self.requests.run(give_back).await? == 0 {
            return Err(StoreError::Conflict);
        }
        self.added.to_any();
        Ok(())
    }

    /// That many deliveries were written.
    pub(super) fn told(&self, count: i64) {
        if count > 0 {
            self.deliveries_added.notify_one();
        }
    }
}

/// For each standing of a challenge that is not open, the members of the request that say so.
fn if_not_open(request: &Request) -> String {
    let members = |standing| {
        let mut changed = request.clone();
        changed.challenge_stands(standing);
        json!({ "version": changed.version, "named_challenge": changed.named_challenge })
    };
    let changes = json!({
        "expired": members(Standing::Expired),
        "used": members(Standing::Used),
        "unknown": members(Standing::Unknown),
    });
    changes.to_string()
}

fn claimed_by(owner: &str, row: VerificationRow) -> Claim {
    let held = Lease {
        id: VerificationId::from_uuid(row.id),
        tenant: TenantId::from_uuid(row.tenant),
        owner: owner.to_owned(),
        attempt: row.attempts as u32,
    };
    match row.decode() {
        Ok(verification) => Claim::Claimed(held, Box::new(verification)),
        Err(error) => Claim::Unreadable(held, Box::new(error)),
    }
}
