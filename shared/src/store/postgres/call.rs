//! One connection for one call: each is bounded in time, and a connection whose answer nobody awaited is closed.

use std::future::Future;
use std::time::Duration;

use deadpool::managed::Object;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::{Query, QueryAs};
use sqlx::{FromRow, PgConnection, Postgres};
use tokio::time::timeout;

use super::server::{Pool, Server, reason};
use crate::store::StoreError;

/// How long a call may wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a call may wait for its answer: longer than the server lets a statement run, so that this strikes only when
/// the server is paused or cut off.
const ANSWER: Duration = Duration::from_secs(12);

/// The server is paused, or the network is cut.
#[derive(Debug, thiserror::Error)]
#[error("the database did not answer within {} s", .after.as_secs())]
struct NoAnswer {
    after: Duration,
}

pub(super) type Statement<'bound> = Query<'bound, Postgres, PgArguments>;
pub(super) type RowStatement<'bound, T> = QueryAs<'bound, Postgres, T, PgArguments>;

/// A bounded number of connections, made when they are needed.
#[derive(Clone)]
pub(super) struct Connections(Pool);

impl Connections {
    pub(super) fn new(options: PgConnectOptions, limit: u32) -> Self {
        Self(Server::pool(options, limit))
    }

    /// The first row of the answer, if it has any.
    pub(super) async fn first<T>(&self, statement: RowStatement<'_, T>) -> Result<Option<T>, StoreError>
    where
        T: for<'row> FromRow<'row, PgRow> + Send + Unpin,
    {
        let mut held = self.hold().await?;
        let row = answered(statement.fetch_optional(held.connection())).await?;
        held.release();
        Ok(row)
    }

    /// Every row of the answer.
    pub(super) async fn all<T>(&self, statement: RowStatement<'_, T>) -> Result<Vec<T>, StoreError>
    where
        T: for<'row> FromRow<'row, PgRow> + Send + Unpin,
    {
        let mut held = self.hold().await?;
        let rows = answered(statement.fetch_all(held.connection())).await?;
        held.release();
        Ok(rows)
    }

    /// How many rows the statement changed.
    pub(super) async fn run(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let mut held = self.hold().await?;
        let done = answered(statement.execute(held.connection())).await?;
        held.release();
        Ok(done.rows_affected())
    }

    /// A connection for several calls, such as a transaction.
    pub(super) async fn hold(&self) -> Result<Held, StoreError> {
        let connection = async { self.0.get().await.map_err(reason) };
        Ok(Held(Some(within(CONNECT, connection).await?)))
    }

    pub(super) async fn begin(&self) -> Result<Transaction, StoreError> {
        let mut held = self.hold().await?;
        answered(sqlx::raw_sql("BEGIN").execute(held.connection())).await?;
        Ok(Transaction(held))
    }
}

/// Several statements that count together or not at all. Dropped before its end, it is rolled back with its connection.
pub(super) struct Transaction(Held);

impl Transaction {
    /// The first row of the answer, if it has any.
    pub(super) async fn first<T>(&mut self, statement: RowStatement<'_, T>) -> Result<Option<T>, StoreError>
    where
        T: for<'row> FromRow<'row, PgRow> + Send + Unpin,
    {
        answered(statement.fetch_optional(self.0.connection())).await
    }

    /// How many rows the statement changed.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, StoreError> {
        Ok(answered(statement.execute(self.0.connection())).await?.rows_affected())
    }

    pub(super) async fn commit(self) -> Result<(), StoreError> {
        self.end("COMMIT").await
    }

    /// Changes nothing and keeps the connection, for a refusal that is no failure.
    pub(super) async fn refuse<T>(self, why: StoreError) -> Result<T, StoreError> {
        self.end("ROLLBACK").await?;
        Err(why)
    }

    async fn end(mut self, statement: &'static str) -> Result<(), StoreError> {
        answered(sqlx::raw_sql(statement).execute(self.0.connection())).await?;
        self.0.release();
        Ok(())
    }
}

/// A connection in use. Dropped before it is released, it is closed and its transaction rolled back, whatever state it
/// was in.
pub(super) struct Held(Option<Object<Server>>);

impl Held {
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.0.as_mut().expect("it is there until it is released; its absence is a bug")
    }

    /// Gives it back for other calls: whatever was asked has been answered.
    pub(super) fn release(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}

/// What the server answers, if it does.
pub(super) async fn answered<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    within(ANSWER, answer).await
}

/// As [`answered`], for what should take no longer than a connection.
pub(super) async fn connected<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    within(CONNECT, answer).await
}

async fn within<T>(
    limit: Duration,
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, StoreError> {
    match timeout(limit, answer).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unavailable(Box::new(NoAnswer { after: limit }))),
    }
}
