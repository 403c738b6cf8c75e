//! The deliveries that a verification leaves behind when it becomes final, written by the transaction that makes it so.

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::Sqlite;
use crate::store::StoreError;

/// A fresh `UUIDv7`: the time, in milliseconds, the version, and random bits.
macro_rules! fresh_id {
    ($now:literal) => {
        concat!(
            "unhex(printf('%012x', ",
            $now,
            ") || '7' || substr(hex(randomblob(2)), 2) || '8' || substr(hex(randomblob(8)), 2))"
        )
    };
}
pub(super) use fresh_id;

/// One for each enabled endpoint of the tenant that wants to hear of it, and one for the verification's own URL.
pub(super) const TELL: &str = concat!(
    "INSERT INTO webhook_deliveries
        (id, tenant, target, endpoint, url, event, verification, next_attempt_at, created_at)
    SELECT ",
    fresh_id!("final.finished_at"),
    ", final.tenant, endpoints.id, endpoints.id, NULL, 'verification.' || final.state, final.id,
        final.finished_at, final.finished_at
    FROM verifications AS final JOIN webhook_endpoints AS endpoints ON endpoints.tenant = final.tenant
    WHERE final.id = ?1 AND endpoints.disabled_at IS NULL
        AND (endpoints.events = '[]'
            OR EXISTS (SELECT 1 FROM json_each(endpoints.events) WHERE value = 'verification.' || final.state))
    UNION ALL
    SELECT ",
    fresh_id!("finished_at"),
    ", tenant, tenant, NULL, json_extract(request, '$.webhook_url'), 'verification.' || state, id,
        finished_at, finished_at
    FROM verifications WHERE id = ?1 AND json_extract(request, '$.webhook_url') IS NOT NULL"
);

/// How many deliveries the verification, which is final now, leaves behind.
pub(super) async fn tell(transaction: &mut SqliteConnection, id: Uuid) -> Result<u64, StoreError> {
    Ok(sqlx::query(TELL).bind(id).execute(transaction).await?.rows_affected())
}

/// As [`tell`], for several.
pub(super) async fn tell_all(transaction: &mut SqliteConnection, ids: &[Uuid]) -> Result<u64, StoreError> {
    let mut count = 0;
    for id in ids {
        count += tell(&mut *transaction, *id).await?;
    }
    Ok(count)
}

impl Sqlite {
    /// That many deliveries were written.
    pub(super) fn told(&self, count: u64) {
        if count > 0 {
            self.deliveries_added.notify_one();
        }
    }
}
