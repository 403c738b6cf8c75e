//! The one connection that writes, and the log that makes its commits durable.
//!
//! SQLite could bring every commit to disk itself (`synchronous = FULL`), but one after another, and no other writes
//! meanwhile: as many commits a second as the disk has syncs. Here a commit ends when it is in the log (`NORMAL`, which
//! keeps the database whole), the next may write, and whoever needs it on disk waits for a sync that it shares with all
//! who wait. The log is in order: what is on disk has everything that was committed before it on disk too.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::{fs, io};

use sqlx::query::{Query, QueryAs};
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqlitePoolOptions, SqliteRow};
use sqlx::{FromRow, Sqlite as Driver, SqliteConnection, SqlitePool, Transaction};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::checkpoint::Checkpoints;
use crate::store::StoreError;

pub(super) type Statement<'bound> = Query<'bound, Driver, SqliteArguments>;
pub(super) type RowStatement<'bound, T> = QueryAs<'bound, Driver, T, SqliteArguments>;

#[derive(Clone)]
pub(super) struct Writer {
    /// ONE connection: SQLite has one writer at a time, and waiting here is fair where its own lock is not.
    pool: SqlitePool,
    log: Arc<Log>,
    checkpoints: Arc<Checkpoints>,
}

impl Writer {
    pub(super) async fn connect(path: &Path, options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        // SQLite follows links before it names the log.
        let log = Log::of(&path.canonicalize().map_err(|error| StoreError::Other(Box::new(error)))?);
        let checkpoints = Checkpoints::start(options).await?;
        Ok(Self { pool, log: Arc::new(log), checkpoints: Arc::new(checkpoints) })
    }

    /// The connection itself, for what is not this service's daily work.
    pub(super) fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// A transaction that holds the write lock from its start, so that it can't fail half-way for want of it.
    pub(super) async fn begin(&self) -> Result<Write, StoreError> {
        self.log.trusted()?;
        let transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        Ok(Write { transaction, writer: self.clone() })
    }

    /// How many rows the statement changed, once that is on disk.
    pub(super) async fn run(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        let changed = self.run_soon(statement).await?;
        self.log.sync().await?;
        Ok(changed)
    }

    /// As [`run`](Self::run), for a change that may be lost with the power: see [`Write::commit_soon`].
    pub(super) async fn run_soon(&self, statement: Statement<'_>) -> Result<u64, StoreError> {
        self.log.trusted()?;
        let done = statement.execute(&self.pool).await?;
        self.checkpoints.committed();
        Ok(done.rows_affected())
    }

    /// The first row that the statement returns, if any, once its change is on disk.
    pub(super) async fn first<T>(&self, statement: RowStatement<'_, T>) -> Result<Option<T>, StoreError>
    where
        T: for<'row> FromRow<'row, SqliteRow> + Send + Unpin,
    {
        self.log.trusted()?;
        let row = statement.fetch_optional(&self.pool).await?;
        self.checkpoints.committed();
        self.log.sync().await?;
        Ok(row)
    }

    /// How many of those who asked for it have what they wrote on disk.
    #[cfg(test)]
    pub(super) async fn syncs(&self) -> u64 {
        *self.log.synced.lock().await
    }
}

/// A transaction; dropped before its end it is rolled back.
pub(super) struct Write {
    transaction: Transaction<'static, Driver>,
    writer: Writer,
}

impl Write {
    /// Returns once everything in it is on disk.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let log = Arc::clone(&self.writer.log);
        self.commit_soon().await?;
        log.sync().await
    }

    /// Survives the end of the process at once, and the loss of power from the next [`commit`](Self::commit) on: for what
    /// would only be done again, such as a claim.
    pub(super) async fn commit_soon(self) -> Result<(), StoreError> {
        self.transaction.commit().await?;
        self.writer.checkpoints.committed();
        Ok(())
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

/// SQLite's write-ahead log, the file beside the database.
struct Log {
    path: PathBuf,
    /// How many have asked for a sync.
    asked: AtomicU64,
    /// How many of those who asked have what they wrote on disk.
    synced: Mutex<u64>,
    /// A sync has failed: what it should have written is nowhere known to be, and the next sync would not say so.
    failed: AtomicBool,
}

impl Log {
    fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-wal");
        Self {
            path: path.into(),
            asked: AtomicU64::new(0),
            synced: Mutex::default(),
            failed: AtomicBool::new(false),
        }
    }

    /// An error once a sync has failed: nothing more is written then.
    fn trusted(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(unavailable(io::Error::other("the log could not be brought to disk")));
        }
        Ok(())
    }

    /// Returns once everything that was committed before the call is on disk: those who wait meanwhile share the next sync.
    async fn sync(&self) -> Result<(), StoreError> {
        let turn = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        let mut synced = self.synced.lock().await;
        if *synced >= turn {
            return Ok(());
        }
        self.trusted()?;
        let covered = self.asked.load(Ordering::Acquire);
        let path = self.path.clone();
        // Opened anew, so that it is the log that SQLite writes now.
        let sync = move || fs::File::open(path).map(|log| log.sync_data());
        match spawn_blocking(sync).await.map_err(io::Error::other).flatten().map_err(unavailable)? {
            Ok(()) => {
                *synced = covered;
                Ok(())
            }
            Err(error) => {
                self.failed.store(true, Ordering::Release);
                tracing::error!(%error, "the database's log can't be brought to disk: nothing is written until a restart");
                Err(unavailable(error))
            }
        }
    }
}

fn unavailable(error: io::Error) -> StoreError {
    StoreError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_is_written_after_a_failed_sync() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("rows.db");
        let options = SqliteConnectOptions::new().filename(&path).create_if_missing(true);
        let writer = Writer::connect(&path, options).await.expect("it connects");
        writer.run_soon(sqlx::query("CREATE TABLE rows (id)")).await.expect("the log is trusted");
        writer.log.failed.store(true, Ordering::Release);
        assert!(writer.begin().await.is_err());
        writer.run_soon(sqlx::query("INSERT INTO rows VALUES (1)")).await.expect_err("it would be lost");
        writer.run(sqlx::query("INSERT INTO rows VALUES (2)")).await.expect_err("it would be lost");
        let first = writer.first::<(i64,)>(sqlx::query_as("INSERT INTO rows VALUES (3) RETURNING id"));
        first.await.expect_err("it would be lost");
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM rows").fetch_one(writer.pool()).await.expect("a count");
        assert_eq!(rows, 0);
    }

    #[tokio::test]
    async fn those_who_wait_share_a_sync_and_nobody_trusts_a_disk_that_failed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = folder.path().join("rows.db");
        let log = Log::of(&database);
        fs::write(&log.path, "frames").expect("written");
        let held = log.synced.lock().await;
        let waiting = futures::future::join_all((0..5).map(|_| log.sync()));
        let release = async {
            tokio::task::yield_now().await;
            drop(held);
        };
        let (synced, ()) = tokio::join!(waiting, release);
        assert!(synced.iter().all(Result::is_ok), "{synced:?}");
        assert_eq!(*log.synced.lock().await, 5, "the first of them synced for all");

        fs::remove_file(&log.path).expect("removed");
        log.sync().await.expect_err("it can't be opened");
        fs::write(&log.path, "frames").expect("written");
        log.sync()
            .await
            .expect("what can't be opened now may be opened later, and nothing is lost meanwhile");

        fs::remove_file(&log.path).expect("removed");
        std::os::unix::fs::symlink("/dev/null", &log.path).expect("linked to what can't be synced");
        log.sync().await.expect_err("it can't be synced");
        fs::remove_file(&log.path).expect("removed");
        fs::write(&log.path, "frames").expect("written");
        log.sync().await.expect_err("what the failed one should have written may be lost");
    }
}
