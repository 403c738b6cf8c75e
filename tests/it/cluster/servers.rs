//! The servers that an installation stands on, run by `scripts/services`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use countersign_shared::command::note;
use tempfile::TempDir;

use crate::media::checkout;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Server {
    Postgres,
    Rabbitmq,
    Redis,
    S3,
}

impl Server {
    pub(crate) const ALL: [Self; 4] = [Self::Postgres, Self::Rabbitmq, Self::Redis, Self::S3];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Rabbitmq => "rabbitmq",
            Self::Redis => "redis",
            Self::S3 => "s3",
        }
    }
}

pub(crate) struct Servers {
    folder: PathBuf,
    /// Of a private set, which goes with this.
    own: Option<TempDir>,
    ports: HashMap<Server, u16>,
}

impl Servers {
    /// Those that `COUNTERSIGN_TEST_SERVICES` names. Without them, a test says so and passes.
    pub(crate) fn shared() -> Option<Self> {
        let Some(folder) = std::env::var_os("COUNTERSIGN_TEST_SERVICES") else {
            note("not tested: COUNTERSIGN_TEST_SERVICES names no folder of scripts/services");
            return None;
        };
        Some(Self::in_folder(folder.into(), None))
    }

    /// A set that may be killed and paused, on ports and in a folder of its own, until this is dropped.
    pub(crate) fn private() -> Self {
        let own = TempDir::new().expect("a temporary folder");
        let folder = own.path().to_owned();
        let up = services("up", &folder, &[]);
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        Self::in_folder(folder, Some(own))
    }

    fn in_folder(folder: PathBuf, own: Option<TempDir>) -> Self {
        let port = |server: Server| {
            let text =
                std::fs::read_to_string(folder.join(format!("{}.port", server.name()))).expect("a port");
            text.trim().parse().expect("a number")
        };
        let ports = Server::ALL.into_iter().map(|server| (server, port(server))).collect();
        Self { folder, own, ports }
    }

    pub(crate) fn port(&self, server: Server) -> u16 {
        self.ports[&server]
    }

    /// Where the S3 server keeps the objects of its bucket.
    pub(crate) fn bucket(&self) -> PathBuf {
        self.folder.join("s3/countersign")
    }

    /// SIGKILL for it and all its children.
    pub(crate) fn kill(&self, server: Server) {
        assert!(self.own.is_some(), "only a private server may be killed");
        let tree = self.tree(server);
        send("KILL", &tree);
        while tree.iter().any(|id| is_running(*id)) {
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Starts it again where it was, with what it kept.
    pub(crate) fn start(&self, server: Server) {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let up = services("up", &self.folder, &[server.name()]);
            if up.status.success() {
                return;
            }
            // What a killed server held may be free a moment later.
            assert!(Instant::now() < deadline, "{}", String::from_utf8_lossy(&up.stderr));
            std::thread::sleep(Duration::from_millis(300));
        }
    }

    pub(crate) fn pause(&self, server: Server) {
        assert!(self.own.is_some(), "only a private server may be paused");
        send("STOP", &self.tree(server));
    }

    pub(crate) fn resume(&self, server: Server) {
        send("CONT", &self.tree(server));
    }

    /// Every queue of RabbitMQ with the number of its messages, those in somebody's hands included.
    pub(crate) fn queued_messages(&self) -> Vec<(String, u64)> {
        let output = services("queues", &self.folder, &[]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().filter_map(|line| line.split_once('\t'));
        lines.map(|(name, count)| (name.to_owned(), count.trim().parse().expect("a number"))).collect()
    }

    /// The process and all that come from it.
    fn tree(&self, server: Server) -> Vec<u32> {
        let file = self.folder.join(format!("{}.pid", server.name()));
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let Some(Ok(root)) = text.lines().next().map(|line| line.trim().parse()) else { return Vec::new() };
        descendants(root)
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        if self.own.is_none() {
            return;
        }
        for server in Server::ALL {
            send("KILL", &self.tree(server));
        }
        services("down", &self.folder, &[]);
        // Whoever looks for what went wrong needs their logs.
        if let (true, Some(own)) = (std::thread::panicking(), &mut self.own) {
            own.disable_cleanup(true);
            note(&format!("what the servers left is kept in {}", self.folder.display()));
        }
    }
}

fn services(verb: &str, folder: &Path, names: &[&str]) -> Output {
    let mut command = Command::new(checkout().join("scripts/services"));
    command.arg(verb).arg(folder).args(names).output().expect("scripts/services runs")
}

/// A signal for processes, some of which may be gone.
pub(crate) fn send(signal: &str, ids: &[u32]) {
    if !ids.is_empty() {
        let ids = ids.iter().map(u32::to_string);
        let _ = Command::new("kill").arg(format!("-{signal}")).args(ids).output().expect("kill runs");
    }
}

/// A process that was killed and waits to be noticed counts as gone.
fn is_running(id: u32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{id}/stat")).ok();
    state.as_deref().and_then(after_name).is_some_and(|rest| !rest.starts_with('Z'))
}

/// The process and every process that it started, directly or not.
fn descendants(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(state) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let parent = after_name(&state).and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        children.entry(parent.unwrap_or_default()).or_default().push(id);
    }
    let (mut found, mut open) = (vec![root], vec![root]);
    while let Some(id) = open.pop() {
        let of_this = children.remove(&id).unwrap_or_default();
        found.extend(&of_this);
        open.extend(of_this);
    }
    found
}

/// What `/proc/ID/stat` says after the name, which may hold anything.
fn after_name(state: &str) -> Option<&str> {
    Some(state.rsplit_once(") ")?.1)
}
