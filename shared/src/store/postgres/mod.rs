//! Rows in PostgreSQL: any number of processes, every guard in the statement itself.

mod audit;
mod call;
mod challenges;
mod deliveries;
mod erasure;
mod error;
mod idempotency;
mod keys;
mod outbox;
mod overview;
mod reviews;
mod row;
mod server;
mod tables;
mod tenants;
mod told;
mod upkeep;
mod usage;
mod verifications;
mod webhooks;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};
use tokio::sync::Notify;

use self::call::{Connections, connected};
use super::StoreError;
use super::added::Added;
use super::migrations::{Migrated, TablesError};
use crate::config::{ServiceUrl, Store};

pub(super) use error::passes;

/// What every session is told.
const SESSION: [(&str, &str); 9] = [
    // A statement that runs longer helps nobody who waits for it.
    ("statement_timeout", "10s"),
    ("lock_timeout", "5s"),
    // A relay that hangs gives up the rows in its hands.
    ("idle_in_transaction_session_timeout", "15s"),
    // A machine that vanished without a word is noticed.
    ("tcp_keepalives_idle", "10"),
    ("tcp_keepalives_interval", "5"),
    ("tcp_keepalives_count", "3"),
    ("tcp_user_timeout", "25000"),
    // Every recurring statement has its index; a plan made while a table was small must not outlive it.
    ("enable_seqscan", "off"),
    ("jit", "off"),
];

/// Connections for the relay, which holds one for as long as it publishes: apart, so that it can't starve requests.
const RELAYS: u32 = 2;

pub(super) struct Postgres {
    requests: Connections,
    relays: Connections,
    added: Added,
    deliveries_added: Notify,
}

impl Postgres {
    /// Checks the tables, or brings them up to date where the settings allow it.
    pub(super) async fn open(settings: &Store) -> Result<Self, TablesError> {
        let options = options(&settings.url)?;
        let mut connection = connected(options.connect()).await?;
        if settings.migrate {
            tables::migrate(&mut connection).await?;
        } else {
            tables::check(&mut connection).await?;
        }
        connected(connection.close()).await?;
        let requests = settings.connections.saturating_sub(RELAYS).max(1);
        Ok(Self {
            requests: Connections::new(options.clone(), requests),
            relays: Connections::new(options, RELAYS),
            added: Added::default(),
            deliveries_added: Notify::new(),
        })
    }

    pub(super) async fn migrate(url: &ServiceUrl) -> Result<Migrated, TablesError> {
        let mut connection: PgConnection = connected(options(url)?.connect()).await?;
        let migrated = tables::migrate(&mut connection).await?;
        connected(connection.close()).await?;
        Ok(migrated)
    }
}

fn options(url: &ServiceUrl) -> Result<PgConnectOptions, StoreError> {
    let options: PgConnectOptions = url.as_str().parse()?;
    Ok(options.application_name("countersign").options(SESSION))
}

#[cfg(test)]
mod tests;
