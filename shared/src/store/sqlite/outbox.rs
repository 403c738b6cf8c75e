//! The outbox: messages that are written with their row and removed once the queue has them.

use async_trait::async_trait;

use super::Sqlite;
use super::row::MessageRow;
use crate::domain::Lane;
use crate::store::{Outbox, OutboxRow, StoreError};

pub(super) const PENDING: &str = "SELECT sequence, verification, traceparent FROM outbox
    WHERE lane = ?1 ORDER BY sequence LIMIT ?2";

#[async_trait]
impl Outbox for Sqlite {
    async fn pending(&self, lane: Lane, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let rows: Vec<MessageRow> =
            sqlx::query_as(PENDING).bind(lane.name()).bind(limit).fetch_all(&self.reader).await?;
        Ok(rows.into_iter().map(|row| row.decode(lane)).collect())
    }

    async fn sent(&self, sequences: &[i64]) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM outbox WHERE sequence IN (SELECT value FROM json_each(?1))")
            .bind(serde_json::to_string(sequences)?)
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&self.reader).await?;
        Ok(count as u64)
    }

    async fn added(&self) {
        self.added.notified().await;
    }
}
