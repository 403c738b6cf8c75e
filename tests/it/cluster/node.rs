//! A process of ours: a front end or a worker, with a wire to each server.

use std::collections::HashMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{self, Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use countersign_shared::health;

use super::proxy::Proxy;
use super::servers::{Server, Servers, send};
use crate::service::binary;

/// Models are loaded and warmed up before a worker is ready.
const READY_WITHIN: Duration = Duration::from_mins(1);

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    FrontEnd,
    /// With the real models.
    Worker,
    /// Which only sleeps, for a number of milliseconds between these.
    FakeWorker(u32, u32),
}

pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) role: Role,
    address: SocketAddr,
    wires: HashMap<Server, Proxy>,
    settings: Vec<(String, String)>,
    log: PathBuf,
    process: Option<Child>,
}

impl Node {
    /// Does not start it yet. `settings` are those of the installation.
    pub(crate) async fn new(
        name: String,
        role: Role,
        servers: &Servers,
        database: &str,
        settings: &[(&str, &str)],
        log: PathBuf,
    ) -> Self {
        let mut wires = HashMap::new();
        for server in Server::ALL {
            wires.insert(server, Proxy::to(servers.port(server)).await);
        }
        let address = own_address();
        let at = |server: Server| wires[&server].address();
        let own = [
            ("STORE__URL", format!("postgres://countersign@{}/{database}", at(Server::Postgres))),
            ("QUEUE__URL", format!("amqp://guest:guest@{}/%2f", at(Server::Rabbitmq))),
            ("SIGNAL__URL", format!("redis://{}", at(Server::Redis))),
            ("BLOBS__ENDPOINT", format!("http://{}", at(Server::S3))),
            ("SERVER__LISTEN", address.to_string()),
            ("WORKER__LISTEN", address.to_string()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let common = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { name, role, address, settings: common.chain(own).collect(), wires, log, process: None }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.settings.iter().map(|(name, value)| (format!("COUNTERSIGN_{name}"), value.clone()))
    }

    pub(crate) fn wire(&self, server: Server) -> &Proxy {
        &self.wires[&server]
    }

    /// Everything it has logged, in all its lives.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Starts it, or starts it again, at its address.
    pub(crate) fn start(&mut self) {
        let mut command = match self.role {
            Role::FrontEnd => binary("countersign-api"),
            Role::Worker => binary("countersign-worker"),
            Role::FakeWorker(shortest, longest) => {
                let mut command = binary("countersign-fake-worker");
                command.args([shortest.to_string(), longest.to_string()]);
                command
            }
        };
        command.envs(self.variables());
        let log = File::options().create(true).append(true).open(&self.log).expect("the log can be written");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        self.process = Some(child.expect("the process starts"));
    }

    pub(crate) async fn is_ready(&self) -> bool {
        health::ready(self.address).await.is_ok()
    }

    pub(crate) async fn wait_until_ready(&mut self) {
        let deadline = Instant::now() + READY_WITHIN;
        while !self.is_ready().await {
            assert!(self.runs(), "{} has ended:\n{}", self.name, self.log());
            assert!(Instant::now() < deadline, "{} is not ready:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Whether it runs; a process that could not start has ended by itself.
    pub(crate) fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.try_wait(), Ok(None)))
    }

    /// SIGKILL: no destructor, no drain.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// SIGTERM; it is still there until [`Self::ended`] says how it went.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    /// How it ended, once it has.
    pub(crate) async fn ended(&mut self, within: Duration) -> ExitStatus {
        let deadline = Instant::now() + within;
        loop {
            let process = self.process.as_mut().expect("it was started");
            if let Some(status) = process.try_wait().expect("it is ours") {
                self.process = None;
                return status;
            }
            assert!(Instant::now() < deadline, "{} does not end:\n{}", self.name, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        if let Some(process) = &self.process {
            send(signal, &[process.id()]);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One that nobody else is given, so that a node finds it free again after a restart: every process of tests has a
/// loopback address for itself, made of its number.
fn own_address() -> SocketAddr {
    static NEXT_PORT: AtomicU16 = AtomicU16::new(10_000);
    let [_, high, middle, low] = process::id().to_be_bytes();
    ([127, high, middle, low], NEXT_PORT.fetch_add(1, Ordering::Relaxed)).into()
}
