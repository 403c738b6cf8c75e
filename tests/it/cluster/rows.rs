//! A look into an installation's database, past everything of ours.

use std::process::Command;

use super::servers::{Server, Servers};

/// A database of its own on the servers' PostgreSQL.
pub(crate) struct Rows {
    server: String,
    pub(crate) database: String,
}

impl Rows {
    pub(crate) fn create(servers: &Servers, database: &str) -> Self {
        let server = format!("postgres://countersign@127.0.0.1:{}", servers.port(Server::Postgres));
        let rows = Self { server, database: database.to_owned() };
        rows.psql("postgres", &format!("CREATE DATABASE {database}"));
        rows
    }

    pub(crate) fn run(&self, statements: &str) {
        self.psql(&self.database, statements);
    }

    /// The rows of the answer, each as its columns in text.
    pub(crate) fn all(&self, query: &str) -> Vec<Vec<String>> {
        let text = self.psql(&self.database, query);
        text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// The one column of the one row of the answer.
    pub(crate) fn number(&self, query: &str) -> u64 {
        let text = self.psql(&self.database, query);
        text.trim().parse().unwrap_or_else(|_| panic!("no number: {text}"))
    }

    fn psql(&self, database: &str, statements: &str) -> String {
        let url = format!("{}/{database}", self.server);
        let flags = ["-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1"];
        let output =
            Command::new("psql").arg(url).args(flags).args(["-c", statements]).output().expect("psql runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        // Of a private server that is gone already, nothing is left to drop.
        let statement = format!("DROP DATABASE {} WITH (FORCE)", self.database);
        let url = format!("{}/postgres", self.server);
        let _ = Command::new("psql").arg(url).args(["-X", "-q", "-c", &statement]).output();
    }
}
