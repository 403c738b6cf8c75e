//! Front ends and workers over one set of servers, with rows and media of their own.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use countersign_shared::command::note;
use futures::future::join_all;
use tempfile::TempDir;

use super::node::{Node, Role};
use super::rows::Rows;
use super::servers::{Server, Servers};
use crate::service::{Service, binary};

/// Everything that has to happen in time happens soon.
const BRISK: [(&str, &str); 9] = [
    ("STORE__MIGRATE", "false"),
    ("STORE__CONNECTIONS", "12"),
    ("WORKER__LEASE", "3s"),
    ("WORKER__REAP_EVERY", "1s"),
    ("WORKER__OFFER_AGAIN_AFTER", "5s"),
    ("WORKER__RETRY_DELAYS", r#"["200ms", "500ms", "1s"]"#),
    ("WORKER__PERMITS", "1"),
    ("SERVER__DRAIN", "10s"),
    ("BLOBS__ACCESS_KEY", "countersign"),
];

pub(crate) struct Installation {
    // Nodes end before what they stand on.
    pub(crate) front_ends: Vec<Node>,
    pub(crate) workers: Vec<Node>,
    pub(crate) rows: Rows,
    /// Of the tenant `default`.
    pub(crate) key: String,
    pub(crate) name: String,
    logs: TempDir,
    pub(crate) servers: Arc<Servers>,
}

/// How many of what.
pub(crate) struct Plan<'a> {
    pub(crate) front_ends: usize,
    pub(crate) workers: usize,
    pub(crate) worker: Role,
    /// Such as `("V1__WAIT", "1s")`; they go before those of every test.
    pub(crate) settings: &'a [(&'a str, &'a str)],
}

impl Installation {
    /// Makes the tables, starts every process and waits until all are ready.
    pub(crate) async fn start(servers: Arc<Servers>, plan: Plan<'_>) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time").as_nanos();
        let name = format!("cluster_{since:x}");
        let rows = Rows::create(&servers, &name);
        let blobs = format!("s3://countersign/{name}");
        let mut settings = BRISK.to_vec();
        settings.extend([("BLOBS__SECRET_KEY", "countersign"), ("BLOBS__URL", &*blobs)]);
        settings.extend(plan.settings);
        let logs = TempDir::new().expect("a temporary folder");

        let (mut front_ends, mut workers) = (Vec::new(), Vec::new());
        let roles = std::iter::repeat_n(Role::FrontEnd, plan.front_ends)
            .chain(std::iter::repeat_n(plan.worker, plan.workers));
        for role in roles {
            let nodes = if role == Role::FrontEnd { &mut front_ends } else { &mut workers };
            let what = if role == Role::FrontEnd { "front end" } else { "worker" };
            let node = format!("{what} {}", nodes.len() + 1);
            let log = logs.path().join(format!("{node}.log"));
            nodes.push(Node::new(node, role, &servers, &name, &settings, log).await);
        }
        let mut installation = Self { front_ends, workers, rows, key: String::new(), name, logs, servers };
        installation.countersign(&["migrate"]);
        installation.key = installation.create_key("default");
        for node in installation.nodes() {
            node.start();
        }
        join_all(installation.nodes().map(Node::wait_until_ready)).await;
        installation
    }

    pub(crate) fn nodes(&mut self) -> impl Iterator<Item = &mut Node> {
        self.front_ends.iter_mut().chain(&mut self.workers)
    }

    /// A key of that tenant, which is made when it does not exist.
    pub(crate) fn create_key(&self, tenant: &str) -> String {
        let scopes = ["verify:write", "verify:read", "webhook:write"].map(|scope| ["--scope", scope]);
        let key =
            self.countersign(&[&["keys", "create", "--tenant", tenant], scopes.as_flattened()].concat());
        key.trim().to_owned()
    }

    /// A front end as other tests call one.
    pub(crate) fn service(&self, front_end: usize) -> Service {
        Service::at(self.front_ends[front_end].url(), self.key.clone())
    }

    /// What every process has logged.
    pub(crate) fn logs(&self) -> String {
        let entries = std::fs::read_dir(self.logs.path()).expect("the logs").flatten();
        let texts = entries.map(|entry| {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            format!("--- {}\n{text}", entry.file_name().display())
        });
        texts.collect()
    }

    /// The settings of a process of this installation, as variables.
    pub(crate) fn settings(&self) -> impl Iterator<Item = (String, String)> {
        self.front_ends[0].variables()
    }

    /// Waits until the query's number is that.
    pub(crate) async fn until(&self, query: &str, number: u64, within: Duration) {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let now = self.rows.number(query);
            if now == number {
                return;
            }
            assert!(tokio::time::Instant::now() < deadline, "{now} is not {number}: {query}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The command line, straight at the servers.
    fn countersign(&self, arguments: &[&str]) -> String {
        let port = self.servers.port(Server::Postgres);
        let output = binary("countersign")
            .args(arguments)
            .env("COUNTERSIGN_STORE__URL", format!("postgres://countersign@127.0.0.1:{port}/{}", self.name))
            .env("COUNTERSIGN_QUEUE__URL", "amqp://nobody")
            .output()
            .expect("countersign runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Installation {
    /// Whoever looks for what went wrong needs the logs.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.logs.disable_cleanup(true);
            note(&format!("the logs of the processes are kept in {}", self.logs.path().display()));
        }
    }
}
