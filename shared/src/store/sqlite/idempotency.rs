//! Keys that are reserved, and the answers that are kept for them.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::SqliteConnection;
use uuid::Uuid;

use super::Sqlite;
use crate::domain::{Completion, Fingerprint, KeptAnswer, Reservation, Timestamp, VerificationId};
use crate::store::{IdempotencyStore, Reserved, StoreError};

/// What keeps the key from this request.
pub(super) const HELD: &str = "SELECT fingerprint, verification, answer FROM idempotency_records
    WHERE tenant = ?1 AND key = ?2 AND (owner <> ?3 OR verification IS NOT NULL) AND expires_at > ?4";
const RESERVE: &str =
    "INSERT INTO idempotency_records (tenant, key, owner, expires_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (tenant, key) DO UPDATE
    SET owner = ?3, expires_at = ?4, fingerprint = NULL, verification = NULL, answer = NULL";
const RELEASE: &str = "DELETE FROM idempotency_records
    WHERE tenant = ?1 AND key = ?2 AND owner = ?3 AND verification IS NULL";
pub(super) const COMPLETE: &str = "UPDATE idempotency_records
    SET fingerprint = ?4, verification = ?5, answer = ?6, expires_at = ?7
    WHERE tenant = ?1 AND key = ?2 AND owner = ?3 AND verification IS NULL";

/// The columns of [`HELD`].
type Row = (Option<Vec<u8>>, Option<Uuid>, Option<Vec<u8>>);

#[async_trait]
impl IdempotencyStore for Sqlite {
    async fn reserve(&self, reservation: &Reservation, lease: Duration) -> Result<Reserved, StoreError> {
        let Reservation { tenant, key, owner } = reservation;
        let held = || {
            sqlx::query_as::<_, Row>(HELD)
                .bind(tenant.as_uuid())
                .bind(&key[..])
                .bind(owner)
                .bind(Timestamp::now().as_millis())
        };
        // Those who wait for the key keep nobody from writing.
        if let Some(row) = held().fetch_optional(&self.reader).await? {
            return occupied(row);
        }
        let mut transaction = self.writer.begin().await?;
        if let Some(row) = held().fetch_optional(&mut *transaction).await? {
            return occupied(row);
        }
        let now = Timestamp::now();
        sqlx::query(RESERVE)
            .bind(tenant.as_uuid())
            .bind(&key[..])
            .bind(owner)
            .bind(now.after(lease).as_millis())
            .execute(&mut *transaction)
            .await?;
        transaction.commit_soon().await?;
        Ok(Reserved::Held(now))
    }

    async fn release(&self, reservation: &Reservation) -> Result<(), StoreError> {
        let release = sqlx::query(RELEASE)
            .bind(reservation.tenant.as_uuid())
            .bind(&reservation.key[..])
            .bind(reservation.owner);
        self.writer.run_soon(release).await?;
        Ok(())
    }
}

/// Keeps the answer in the transaction that accepts the verification. `Conflict` when the reservation is lost.
pub(super) async fn complete(
    transaction: &mut SqliteConnection,
    id: VerificationId,
    completion: &Completion,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Reservation { tenant, key, owner } = &completion.reservation;
    let completed = sqlx::query(COMPLETE)
        .bind(tenant.as_uuid())
        .bind(&key[..])
        .bind(owner)
        .bind(&completion.fingerprint.as_bytes()[..])
        .bind(id.as_uuid())
        .bind(&completion.answer)
        .bind(now.after(completion.keep).as_millis())
        .execute(transaction)
        .await?;
    if completed.rows_affected() == 0 { Err(StoreError::Conflict) } else { Ok(()) }
}

fn occupied((fingerprint, verification, body): Row) -> Result<Reserved, StoreError> {
    let (Some(fingerprint), Some(verification)) = (fingerprint, verification) else {
        return Ok(Reserved::Taken);
    };
    let fingerprint = fingerprint.try_into().map_err(|_| StoreError::Other("a cut fingerprint".into()))?;
    Ok(Reserved::Answered(KeptAnswer {
        fingerprint: Fingerprint::from_bytes(fingerprint),
        verification: VerificationId::from_uuid(verification),
        body,
    }))
}
