//! A database for one test, on the server that `COUNTERSIGN_TEST_POSTGRES` names.

use std::io::Write;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions};
use uuid::Uuid;

use crate::config::{Data, Store};
use crate::store::Stores;

const VARIABLE: &str = "COUNTERSIGN_TEST_POSTGRES";

/// It is dropped with this, whoever still uses it.
pub(super) struct Database {
    server: PgConnectOptions,
    name: String,
}

/// A fresh database; the test ends, and says so, when no server is named.
macro_rules! database {
    () => {
        match $crate::store::postgres::tests::Database::make().await {
            Some(database) => database,
            None => return,
        }
    };
}
pub(super) use database;

impl Database {
    pub(super) async fn make() -> Option<Self> {
        let Some(url) = std::env::var_os(VARIABLE) else {
            let _ = writeln!(std::io::stderr(), "skipped: {VARIABLE} names no PostgreSQL");
            return None;
        };
        let server: PgConnectOptions = url.to_str().expect("text").parse().expect("the URL of a server");
        let name = format!("test_{}", Uuid::now_v7().simple());
        execute(&server, format!("CREATE DATABASE {name}")).await;
        Some(Self { server, name })
    }

    /// As a process of its own would open it.
    pub(super) async fn stores(&self) -> Stores {
        Stores::open(&self.settings(), &Self::data()).await.expect("the store opens")
    }

    pub(super) fn settings(&self) -> Store {
        Store { url: self.url().to_url_lossy().as_str().into(), connections: 8, migrate: true }
    }

    /// Files have no part in it.
    pub(super) fn data() -> Data {
        Data { dir: std::env::temp_dir() }
    }

    pub(super) fn url(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// A connection of the test's own.
    pub(super) async fn connect(&self) -> PgConnection {
        self.url().connect().await.expect("a connection")
    }

    pub(super) async fn execute(&self, statement: &'static str) {
        execute(&self.url(), statement.to_owned()).await;
    }

    /// Ends every other session that `condition` fits.
    pub(super) async fn kill_sessions(&self, condition: &str) {
        let kill = format!(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND {condition}"
        );
        execute(&self.url(), kill).await;
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime can't be waited for here.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime
                .expect("a runtime")
                .block_on(execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        let _ = dropping.join();
    }
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection = server.connect().await.expect("the server answers");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("done");
}
