//! Rows in SQLite: one writer, many readers, what a caller relies on on disk before it is answered.

mod audit;
mod challenges;
mod checkpoint;
mod deliveries;
mod erasure;
mod error;
mod idempotency;
mod keys;
mod outbox;
mod overview;
mod reviews;
mod row;
mod tenants;
mod told;
mod upkeep;
mod usage;
mod verifications;
mod webhooks;
mod writer;

use std::fs::OpenOptions;
use std::io;
use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use tokio::sync::Notify;

use self::writer::Writer;
use super::StoreError;
use super::added::Added;
use super::migrations::{self, Migrated, TABLE, TablesError};

pub(super) use error::passes;

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/sqlite");

const READERS: u32 = 4;

/// How long a write waits for another process, such as `countersign keys`, to finish its own.
const BUSY: Duration = Duration::from_secs(10);

/// Pages of 4 KiB in the log from which on a commit brings it into the database, should the checkpoints beside it not have
/// come to it.
const LONGEST_LOG: &str = "16000";

/// The log is cut back to this after a burst; it grows with the writes between two checkpoints.
const LOG_BYTES: &str = "67108864";

pub(super) struct Sqlite {
    writer: Writer,
    reader: SqlitePool,
    added: Added,
    deliveries_added: Notify,
}

impl Sqlite {
    /// Checks the tables, or brings them up to date where that is allowed.
    pub(super) async fn open(path: &Path, migrate: bool) -> Result<Self, TablesError> {
        let store = Self::connect(path).await?;
        if migrate {
            store.migrate().await?;
        } else {
            store.check().await?;
        }
        Ok(store)
    }

    /// As the tables are.
    pub(super) async fn connect(path: &Path) -> Result<Self, StoreError> {
        private_file(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An accepted job survives the loss of power all the same: the writer sees to that.
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .pragma("wal_autocheckpoint", LONGEST_LOG)
            .pragma("journal_size_limit", LOG_BYTES)
            // What is deleted is overwritten: rows hold transcripts and measurements of faces.
            .pragma("secure_delete", "ON");
        let writer = Writer::connect(path, options.clone()).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        Ok(Self { writer, reader, added: Added::default(), deliveries_added: Notify::new() })
    }

    pub(super) async fn migrate(&self) -> Result<Migrated, TablesError> {
        let mut connection = self.writer.pool().acquire().await?;
        Ok(migrations::apply(&MIGRATIONS, &mut *connection).await?)
    }

    async fn check(&self) -> Result<(), TablesError> {
        let mut connection = self.writer.pool().acquire().await?;
        let exists: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema WHERE name = ?1")
            .bind(TABLE)
            .fetch_one(&mut *connection)
            .await?;
        let applied =
            if exists == 0 { Vec::new() } else { connection.list_applied_migrations(TABLE).await? };
        match migrations::missing(&MIGRATIONS, &applied)?.len() {
            0 => Ok(()),
            count => Err(TablesError::Behind(count)),
        }
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
