//! Connections to the server, kept between calls.
//!
//! Not sqlx's own pool: that asks the server for a sign of life after every call, a way there and back that costs as much
//! as a small statement. Here a connection comes back only after its last answer has been read, and one that has not been
//! used for a while is asked before it is used again.

use std::io;
use std::time::Duration;

use deadpool::managed::{
    self, Manager, Metrics, PoolConfig, PoolError, QueueMode, RecycleError, RecycleResult,
};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::{sleep, timeout};

use super::error::passes;

/// How long a connection may take to show that it is alive.
const ALIVE: Duration = Duration::from_secs(1);

/// A connection that was in use a moment ago needs no test.
const FRESH: Duration = Duration::from_secs(1);

/// A connection is replaced after that long: what the server keeps for one only grows.
const LIFETIME: Duration = Duration::from_mins(30);

/// Before a server that is about to be there is tried again.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) type Pool = managed::Pool<Server>;

pub(super) struct Server(PgConnectOptions);

impl Server {
    /// At most `limit` connections, the one that was used last first, so that no more are kept busy than are needed.
    pub(super) fn pool(options: PgConnectOptions, limit: u32) -> Pool {
        let config = PoolConfig { queue_mode: QueueMode::Lifo, ..PoolConfig::new(limit as usize) };
        Pool::builder(Self(options)).config(config).build().expect("it has no timeouts, which need a runtime")
    }
}

impl Manager for Server {
    type Type = PgConnection;
    type Error = sqlx::Error;

    /// Goes on trying while the server starts: whoever waits bounds that.
    async fn create(&self) -> Result<PgConnection, sqlx::Error> {
        loop {
            match self.0.connect().await {
                Err(error) if is_starting(&error) => sleep(PAUSE).await,
                other => return other,
            }
        }
    }

    async fn recycle(&self, connection: &mut PgConnection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > LIFETIME {
            return Err(RecycleError::message("it is old"));
        }
        if metrics.last_used() < FRESH {
            return Ok(());
        }
        match timeout(ALIVE, connection.ping()).await {
            Ok(alive) => Ok(alive?),
            Err(_) => Err(RecycleError::message("it shows no sign of life")),
        }
    }
}

fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::ConnectionRefused,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| passes(&code)),
        _ => false,
    }
}

/// The pool's own errors are not met: it is never closed, and has no timeouts and no hooks.
pub(super) fn reason(error: PoolError<sqlx::Error>) -> sqlx::Error {
    match error {
        PoolError::Backend(error) => error,
        _ => sqlx::Error::PoolClosed,
    }
}
