//! Keys that are reserved, and the answers that are kept for them.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use super::Postgres;
use super::row::timestamp;
use crate::domain::{Fingerprint, KeptAnswer, Reservation, VerificationId};
use crate::store::{IdempotencyStore, Reserved, StoreError};

/// Gives either the time of the reservation or what keeps the key from this request. Neither, when another was quicker:
/// its row is too new for the first look.
pub(super) const RESERVE: &str = "WITH held AS (
        SELECT fingerprint, verification, answer FROM idempotency_records
        WHERE tenant = $1 AND key = $2 AND (owner <> $3 OR verification IS NOT NULL) AND expires_at > now()
    ),
    reserved AS (
        INSERT INTO idempotency_records AS record (tenant, key, owner, expires_at)
        SELECT $1, $2, $3, now() + make_interval(secs => $4) WHERE NOT EXISTS (SELECT FROM held)
        ON CONFLICT (tenant, key) DO UPDATE
        SET owner = excluded.owner, expires_at = excluded.expires_at,
            fingerprint = NULL, verification = NULL, answer = NULL
        WHERE record.expires_at <= now() OR (record.owner = excluded.owner AND record.verification IS NULL)
        RETURNING now() AS reserved_at
    )
    SELECT reserved_at, NULL::bytea AS fingerprint, NULL::uuid AS verification, NULL::bytea AS answer FROM reserved
    UNION ALL SELECT NULL, fingerprint, verification, answer FROM held";
pub(super) const RELEASE: &str = "DELETE FROM idempotency_records
    WHERE tenant = $1 AND key = $2 AND owner = $3 AND verification IS NULL";

/// How often it is asked again when another was quicker.
const TRIES: u32 = 3;

#[derive(FromRow)]
struct RecordRow {
    reserved_at: Option<DateTime<Utc>>,
    fingerprint: Option<Vec<u8>>,
    verification: Option<Uuid>,
    answer: Option<Vec<u8>>,
}

impl RecordRow {
    fn decode(self) -> Result<Reserved, StoreError> {
        if let Some(at) = self.reserved_at {
            return Ok(Reserved::Held(timestamp(at)));
        }
        let (Some(fingerprint), Some(verification)) = (self.fingerprint, self.verification) else {
            return Ok(Reserved::Taken);
        };
        let fingerprint =
            fingerprint.try_into().map_err(|_| StoreError::Other("a cut fingerprint".into()))?;
        Ok(Reserved::Answered(KeptAnswer {
            fingerprint: Fingerprint::from_bytes(fingerprint),
            verification: VerificationId::from_uuid(verification),
            body: self.answer,
        }))
    }
}

#[async_trait]
impl IdempotencyStore for Postgres {
    async fn reserve(&self, reservation: &Reservation, lease: Duration) -> Result<Reserved, StoreError> {
        for _ in 0..TRIES {
            let reserve = sqlx::query_as(RESERVE)
                .bind(reservation.tenant.as_uuid())
                .bind(&reservation.key[..])
                .bind(reservation.owner)
                .bind(lease.as_secs_f64());
            let row: Option<RecordRow> = self.requests.first(reserve).await?;
            if let Some(row) = row {
                return row.decode();
            }
        }
        Ok(Reserved::Taken)
    }

    async fn release(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let release = sqlx::query(RELEASE)
            .bind(reservation.tenant.as_uuid())
            .bind(&reservation.key[..])
            .bind(reservation.owner);
        self.requests.run(release).await?;
        Ok(())
    }
}
