//! What a database error means to the caller.

use sqlx::error::ErrorKind;

use crate::store::StoreError;

/// SQLite's primary result codes for what passes by itself: busy, locked, an I/O error, a full disk, a file that can't
/// be opened for want of descriptors.
const PASSING: [u32; 5] = [5, 6, 10, 13, 14];

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(Box::new(error)),
            sqlx::Error::Database(database) if database.kind() == ErrorKind::UniqueViolation => {
                Self::Conflict
            }
            sqlx::Error::Database(database)
                if database
                    .code()
                    .and_then(|code| code.parse::<u32>().ok())
                    .is_some_and(|code| PASSING.contains(&(code & 0xFF))) =>
            {
                Self::Unavailable(Box::new(error))
            }
            _ => Self::Other(Box::new(error)),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(Box::new(error))
    }
}
