//! Rows in SQLite: one writer, many readers, every commit on disk before it is answered.

mod error;
mod keys;
mod outbox;
mod row;
mod upkeep;
mod verifications;

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Sqlite as Driver, SqlitePool, Transaction};
use tokio::sync::Notify;

use super::StoreError;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

const READERS: u32 = 4;

/// How long a write waits for another process, such as `countersign keys`, to finish its own.
const BUSY: Duration = Duration::from_secs(10);

/// The log is cut back to this after a burst; it grows with the writes between two checkpoints.
const LOG_BYTES: &str = "67108864";

pub(super) struct Sqlite {
    /// ONE connection: SQLite has one writer at a time, and waiting here is fair where its own lock is not.
    writer: SqlitePool,
    reader: SqlitePool,
    added: Notify,
}

impl Sqlite {
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        private_file(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An accepted job survives the loss of power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .pragma("journal_size_limit", LOG_BYTES)
            // What is deleted is overwritten: rows hold transcripts and measurements of faces.
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await.map_err(|error| StoreError::Other(Box::new(error)))?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self { writer, reader, added: Notify::new() })
    }

    /// A transaction that holds the write lock from its start, so that it can't fail half-way for want of it.
    async fn begin(&self) -> Result<Transaction<'static, Driver>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// SQLite makes its files with the database's own mode: only the owner may read transcripts and measurements of faces,
/// whoever made the folder.
fn private_file(path: &Path) -> Result<(), StoreError> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|error: io::Error| StoreError::Other(Box::new(error)))
}

#[cfg(test)]
mod tests;
