//! A database for one test, on the server that `COUNTERSIGN_TEST_POSTGRES` names.

use std::io::Write;

use sqlx::postgres::PgConnectOptions;
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

impl Database {
    /// None, said aloud, when no server is named.
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

    pub(super) async fn stores(&self) -> Stores {
        let data = Data { dir: std::env::temp_dir() };
        Stores::open(&self.settings(), &data).await.expect("the store opens")
    }

    pub(super) fn settings(&self) -> Store {
        let url = self.server.clone().database(&self.name).to_url_lossy();
        Store { url: url.as_str().into(), connections: 8, migrate: true }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // The test's own runtime can't be waited for here.
        let dropping = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(execute(&server, format!("DROP DATABASE {name} WITH (FORCE)")));
        });
        let _ = dropping.join();
    }
}

async fn execute(server: &PgConnectOptions, statement: String) {
    let mut connection = server.connect().await.expect("the server answers");
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await.expect("done");
}
