//! Many verifications at once: those that are waited for, and a tenant's own.

use async_trait::async_trait;
use sqlx::FromRow;
use uuid::Uuid;

use super::Postgres;
use super::row::{VerificationRow, columns, uuids, with_review};
use crate::domain::{State, TenantId, VerificationId};
use crate::store::StoreError;
use crate::store::overview::{Filter, Listed, Overview, Page, Progress, SCANNED};

pub(super) const PROGRESS: &str = "SELECT id, state, attempts FROM verifications WHERE id = ANY ($1)";

/// $1 tenant, those before $2 from $3 on.
macro_rules! listed {
    ($what:expr, $and:literal) => {
        concat!("SELECT ", $what, " WHERE tenant = $1 AND id < $2 AND id >= $3 ", $and)
    };
}
macro_rules! rows {
    () => {
        concat!(columns!(), ", ", with_review!())
    };
}

pub(super) const LIST: &str = listed!(
    rows!(),
    "AND ($5::text IS NULL OR state = $5) AND ($6::text IS NULL OR request ->> 'kind' = $6) ORDER BY id DESC LIMIT $4"
);
/// The state that is ruled out is spelt out: a partial index serves only a query that names what it is partial to.
pub(super) const LIST_IN_STATE: &str = listed!(
    rows!(),
    "AND state = $5 AND state <> 'succeeded' AND ($6::text IS NULL OR request ->> 'kind' = $6)
    ORDER BY id DESC LIMIT $4"
);
/// The last row that is looked at, if there are as many.
pub(super) const SEARCHED: &str = listed!("id FROM verifications", "ORDER BY id DESC OFFSET $4 LIMIT 1");
pub(super) const SEARCHED_IN_STATE: &str = listed!(
    "id FROM verifications",
    "AND state = $5 AND state <> 'succeeded' ORDER BY id DESC OFFSET $4 LIMIT 1"
);

#[derive(FromRow)]
struct ProgressRow {
    id: Uuid,
    state: String,
    attempts: i32,
}

#[async_trait]
impl Overview for Postgres {
    async fn progress(&self, ids: &[VerificationId]) -> Result<Vec<Progress>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<ProgressRow> = self.requests.all(sqlx::query_as(PROGRESS).bind(uuids(ids))).await?;
        // A state that only a newer build knows is none that this one could show.
        let known = rows.into_iter().filter_map(|row| {
            let state = row.state.parse().ok()?;
            Some(Progress { id: VerificationId::from_uuid(row.id), state, attempts: row.attempts as u32 })
        });
        Ok(known.collect())
    }

    async fn list(
        &self,
        tenant: TenantId,
        filter: &Filter,
        before: Option<VerificationId>,
        limit: u32,
    ) -> Result<Page, StoreError> {
        let (before, mut from) = filter.bounds(before);
        let state = filter.state.map(State::name);
        let is_indexed = filter.state.is_some_and(|state| state != State::Succeeded);
        let mut searched = None;
        if filter.is_searched() {
            let last = sqlx::query_as(if is_indexed { SEARCHED_IN_STATE } else { SEARCHED })
                .bind(tenant.as_uuid())
                .bind(before)
                .bind(from)
                .bind(i64::from(SCANNED) - 1);
            let last = if is_indexed { last.bind(state) } else { last };
            let last: Option<(Uuid,)> = self.requests.first(last).await?;
            from = last.map_or(from, |(id,)| id);
            searched = last.map(|(id,)| VerificationId::from_uuid(id));
        }
        let list = sqlx::query_as(if is_indexed { LIST_IN_STATE } else { LIST })
            .bind(tenant.as_uuid())
            .bind(before)
            .bind(from)
            .bind(i64::from(limit) + 1)
            .bind(state)
            .bind(filter.kind.map(crate::domain::Kind::name));
        let rows: Vec<VerificationRow> = self.requests.all(list).await?;
        let rows = rows.into_iter().map(|row| Listed::of(VerificationId::from_uuid(row.id), row.decode()));
        Ok(Page::of(rows.collect(), limit, searched))
    }
}
