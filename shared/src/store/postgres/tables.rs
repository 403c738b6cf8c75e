//! The tables: brought up to date by one process at a time, or only checked.

use std::time::Duration;

use sqlx::migrate::{AppliedMigration, Migration, Migrator};
use sqlx::postgres::PgConnection;
use tokio::time::sleep;

use super::call::answered;
use crate::store::StoreError;
use crate::store::migrations::{self, Migrated, TABLE, TablesError};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations/postgres");

/// The advisory lock of those who change the tables: "countrsn".
const LOCK: i64 = 0x636f_756e_7472_736e;

/// The wait for another process that changes the tables, before it is asked again.
const PAUSE: Duration = Duration::from_millis(200);

const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations";

pub(super) async fn check(connection: &mut PgConnection) -> Result<(), TablesError> {
    match missing(connection).await?.len() {
        0 => Ok(()),
        count => Err(TablesError::Behind(count)),
    }
}

/// Other processes that would do the same wait for this one.
pub(super) async fn migrate(connection: &mut PgConnection) -> Result<Migrated, TablesError> {
    // Where there is nothing to do, nothing is locked, and the role needs no right to change tables.
    if missing(connection).await?.is_empty() {
        return Ok(Migrated::default());
    }
    // An index on a large table takes its time. A table in use is not waited for long: everyone else would wait behind this.
    sqlx::raw_sql("SET statement_timeout = 0; SET lock_timeout = '10s'").execute(&mut *connection).await?;
    lock(connection).await?;
    let migrated = migrations::apply(&MIGRATIONS, connection).await;
    let unlocked = sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *connection).await;
    let migrated = migrated?;
    unlocked?;
    Ok(migrated)
}

/// Asks again and again: an index that is made concurrently waits for every transaction, and so for a statement that waits
/// for this lock.
async fn lock(connection: &mut PgConnection) -> Result<(), StoreError> {
    loop {
        let taken =
            sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(&mut *connection);
        if answered(taken).await? {
            return Ok(());
        }
        sleep(PAUSE).await;
    }
}

async fn missing(connection: &mut PgConnection) -> Result<Vec<&'static Migration>, TablesError> {
    let exists = sqlx::query_as("SELECT to_regclass($1) IS NOT NULL").bind(TABLE);
    let (exists,): (bool,) = answered(exists.fetch_one(&mut *connection)).await?;
    let mut applied: Vec<(i64, Vec<u8>)> = Vec::new();
    if exists {
        applied = answered(sqlx::query_as(APPLIED).fetch_all(connection)).await?;
    }
    let applied: Vec<AppliedMigration> = applied
        .into_iter()
        .map(|(version, checksum)| AppliedMigration { version, checksum: checksum.into() })
        .collect();
    Ok(migrations::missing(&MIGRATIONS, &applied)?)
}
