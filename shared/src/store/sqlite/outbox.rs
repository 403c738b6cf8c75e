//! The outbox: messages that are written with their row and removed once the queue has them.

use async_trait::async_trait;

use super::Sqlite;
use super::row::MessageRow;
use super::writer::Writer;
use crate::domain::Lane;
use crate::store::{Outbox, OutboxBatch, OutboxRow, StoreError};

/// Hops from tenant to tenant along the index, so that its cost is in tenants and rows taken, not in rows that wait.
pub(super) const TAKE: &str = "WITH RECURSIVE
    tenants (tenant) AS (
        SELECT min(tenant) FROM outbox WHERE lane = ?1
        UNION ALL
        SELECT (SELECT min(tenant) FROM outbox WHERE lane = ?1 AND tenant > tenants.tenant)
        FROM tenants WHERE tenant IS NOT NULL
    ),
    share (size) AS (SELECT max(1, ?2 / max(1, count(tenant))) FROM tenants),
    taken AS (
        SELECT outbox.*, row_number() OVER (PARTITION BY outbox.tenant ORDER BY sequence) AS turn
        FROM tenants CROSS JOIN outbox ON sequence IN (
            SELECT sequence FROM outbox AS own WHERE own.lane = ?1 AND own.tenant = tenants.tenant
            ORDER BY sequence LIMIT (SELECT size FROM share)
        )
    )
    SELECT sequence, verification, traceparent, turn = (SELECT size FROM share) AS is_end_of_share
    FROM taken ORDER BY turn, sequence LIMIT ?2";

#[async_trait]
impl Outbox for Sqlite {
    async fn waiting(&self) -> Result<Vec<Lane>, StoreError> {
        let mut lanes = Vec::new();
        for lane in Lane::ALL {
            let row: Option<i64> = sqlx::query_scalar("SELECT 1 FROM outbox WHERE lane = ?1 LIMIT 1")
                .bind(lane.name())
                .fetch_optional(&self.reader)
                .await?;
            lanes.extend(row.map(|_| lane));
        }
        Ok(lanes)
    }

    /// One process has the rows, and it runs one relay: nothing needs to be locked.
    async fn take(&self, lane: Lane, limit: u32) -> Result<Box<dyn OutboxBatch>, StoreError> {
        let rows: Vec<MessageRow> =
            sqlx::query_as(TAKE).bind(lane.name()).bind(limit).fetch_all(&self.reader).await?;
        let more = rows.iter().any(|row| row.is_end_of_share);
        let rows = rows.into_iter().map(|row| row.decode(lane)).collect();
        Ok(Box::new(Taken { rows, more, writer: self.writer.clone() }))
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(&self.reader).await?;
        Ok(count as u64)
    }

    async fn added(&self, lane: Lane) {
        self.added.wait(lane).await;
    }
}

struct Taken {
    rows: Vec<OutboxRow>,
    more: bool,
    writer: Writer,
}

#[async_trait]
impl OutboxBatch for Taken {
    fn rows(&self) -> &[OutboxRow] {
        &self.rows
    }

    fn more(&self) -> bool {
        self.more
    }

    async fn sent(self: Box<Self>, sequences: &[i64]) -> Result<(), StoreError> {
        if sequences.is_empty() {
            return Ok(());
        }
        let remove = sqlx::query("DELETE FROM outbox WHERE sequence IN (SELECT value FROM json_each(?1))")
            .bind(serde_json::to_string(sequences)?);
        self.writer.run_soon(remove).await?;
        Ok(())
    }
}
