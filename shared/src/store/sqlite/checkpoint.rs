//! Brings the log into the database beside the writes, and not inside one of them.
//!
//! Left to itself SQLite does it in the commit that finds the log long enough, for which every other write then waits. A
//! passive checkpoint copies while others write. What they wrote meanwhile is little: it is copied with the write lock
//! held, so that the next write finds the whole log copied, and begins it anew.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::store::StoreError;

/// Commits, of some six pages each, between two checkpoints.
pub(super) const EVERY: u64 = 250;

/// How long the second part waits for those who write and read: the next checkpoint makes up for it.
const BUSY: Duration = Duration::from_millis(100);

pub(super) struct Checkpoints {
    commits: AtomicU64,
    due: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Checkpoints {
    /// On a connection of its own.
    pub(super) async fn start(options: SqliteConnectOptions) -> Result<Self, StoreError> {
        let connection = options.busy_timeout(BUSY).connect().await?;
        let due = Arc::new(Notify::new());
        let task = tokio::spawn(run(connection, Arc::clone(&due)));
        Ok(Self { commits: AtomicU64::new(0), due, task })
    }

    /// To be told of every commit.
    pub(super) fn committed(&self) {
        if (self.commits.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(EVERY) {
            self.due.notify_one();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A checkpoint that fails leaves the log as it is, longer: the writer makes one itself when it is too long.
async fn run(mut connection: SqliteConnection, due: Arc<Notify>) {
    loop {
        due.notified().await;
        for part in ["PRAGMA wal_checkpoint(PASSIVE)", "PRAGMA wal_checkpoint(FULL)"] {
            if let Err(error) = sqlx::query(part).execute(&mut connection).await {
                tracing::warn!(%error, "the database's log could not be brought into the database");
            }
        }
    }
}
