//! The outbox: messages that are written with their row and removed once the queue has them.

use async_trait::async_trait;
use sqlx::AssertSqlSafe;

use super::Postgres;
use super::call::{Held, answered};
use super::row::MessageRow;
use crate::domain::Lane;
use crate::store::error::unreadable;
use crate::store::{Outbox, OutboxBatch, OutboxRow, StoreError};

/// Hops from tenant to tenant along the index, so that its cost is in tenants and rows taken, not in rows that wait. The
/// hop sees every tenant, whoever has locked its rows; only the taking skips what another relay holds.
pub(super) const TAKE: &str = "WITH RECURSIVE
    tenants (tenant) AS (
        (SELECT tenant FROM outbox WHERE lane = $1 ORDER BY tenant LIMIT 1)
        UNION ALL
        SELECT (
            SELECT tenant FROM outbox WHERE lane = $1 AND outbox.tenant > tenants.tenant
            ORDER BY outbox.tenant LIMIT 1
        )
        FROM tenants WHERE tenants.tenant IS NOT NULL
    ),
    share (size) AS (SELECT greatest(1, $2 / greatest(1, count(tenant))) FROM tenants),
    taken AS (
        SELECT own.*, row_number() OVER (PARTITION BY own.tenant ORDER BY own.sequence) AS turn
        FROM tenants CROSS JOIN LATERAL (
            SELECT tenant, sequence, verification, traceparent FROM outbox
            WHERE lane = $1 AND outbox.tenant = tenants.tenant
            ORDER BY sequence LIMIT (SELECT size FROM share)
            FOR UPDATE SKIP LOCKED
        ) AS own
    )
    SELECT sequence, verification, traceparent, turn = (SELECT size FROM share) AS is_end_of_share
    FROM taken ORDER BY turn, sequence LIMIT $2";
pub(super) const WAITING: &str =
    "SELECT lane FROM unnest($1::text[]) WITH ORDINALITY AS lanes (lane, position)
    CROSS JOIN LATERAL (SELECT 1 FROM outbox WHERE outbox.lane = lanes.lane LIMIT 1) AS any_row
    ORDER BY position";
pub(super) const DEPTH: &str = "SELECT count(*) FROM outbox";

#[async_trait]
impl Outbox for Postgres {
    async fn waiting(&self) -> Result<Vec<Lane>, StoreError> {
        let waiting = sqlx::query_as(WAITING).bind(Lane::ALL.map(Lane::name).to_vec());
        let names: Vec<(String,)> = self.requests.all(waiting).await?;
        let lanes: Result<Vec<Lane>, String> = names.into_iter().map(|(name,)| name.parse()).collect();
        lanes.map_err(unreadable)
    }

    /// The rows are locked in a transaction that lives as long as the batch. So those of a relay that dies are free at
    /// once, and those of one that hangs when the server ends the idle transaction.
    async fn take(&self, lane: Lane, limit: u32) -> Result<Box<dyn OutboxBatch>, StoreError> {
        let mut held = self.relays.hold().await?;
        answered(sqlx::raw_sql("BEGIN").execute(held.connection())).await?;
        let take = sqlx::query_as(TAKE).bind(lane.name()).bind(i64::from(limit));
        let rows: Vec<MessageRow> = answered(take.fetch_all(held.connection())).await?;
        let more = rows.iter().any(|row| row.is_end_of_share);
        let rows = rows.into_iter().map(|row| row.decode(lane)).collect();
        Ok(Box::new(Taken { rows, more, held }))
    }

    async fn depth(&self) -> Result<u64, StoreError> {
        let depth: Option<(i64,)> = self.requests.first(sqlx::query_as(DEPTH)).await?;
        Ok(depth.map_or(0, |(count,)| count as u64))
    }

    async fn added(&self, lane: Lane) {
        self.added.wait(lane).await;
    }
}

struct Taken {
    rows: Vec<OutboxRow>,
    more: bool,
    held: Held,
}

#[async_trait]
impl OutboxBatch for Taken {
    fn rows(&self) -> &[OutboxRow] {
        &self.rows
    }

    fn more(&self) -> bool {
        self.more
    }

    async fn sent(mut self: Box<Self>, sequences: &[i64]) -> Result<(), StoreError> {
        let sequences: Vec<String> = sequences.iter().map(i64::to_string).collect();
        // One way there and back for both.
        let remove =
            format!("DELETE FROM outbox WHERE sequence = ANY ('{{{}}}'); COMMIT", sequences.join(","));
        answered(sqlx::raw_sql(AssertSqlSafe(remove)).execute(self.held.connection())).await?;
        self.held.release();
        Ok(())
    }
}
