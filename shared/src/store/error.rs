//! What a database's error means to the caller.

use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::postgres::PgDatabaseError;

use super::{StoreError, postgres, sqlite};

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::RowNotFound => Self::NotFound,
            // A server that goes away in the middle of a greeting breaks the protocol, or the handshake.
            sqlx::Error::Io(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(Box::new(error)),
            sqlx::Error::Database(database) if database.kind() == ErrorKind::UniqueViolation => {
                Self::Conflict
            }
            // What it was to belong to is not there.
            sqlx::Error::Database(database) if database.kind() == ErrorKind::ForeignKeyViolation => {
                Self::NotFound
            }
            sqlx::Error::Database(database) if passes(&**database) => Self::Unavailable(Box::new(error)),
            _ => Self::Other(Box::new(error)),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(Box::new(error))
    }
}

/// A row that holds what this build does not know.
pub(super) fn unreadable(problem: String) -> StoreError {
    StoreError::Other(problem.into())
}

/// Whether it passes by itself, so that the same call may succeed later.
fn passes(error: &dyn DatabaseError) -> bool {
    match error.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => postgres::passes(error.code()),
        None => error.code().is_some_and(|code| sqlite::passes(&code)),
    }
}
