//! A front end as a process of its own, so that its memory is its own: embedded rows, and standard input in the place of
//! the signal of a worker.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;

use anyhow::Context;
use countersign_api::{App, Readiness};
use countersign_shared::adapters::Adapters;
use countersign_shared::config::{self, Config};
use countersign_shared::domain::VerificationId;
use countersign_shared::signal::Change;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::super::process;
use crate::commands::say;

const DATABASE: &str = "bench.db";

pub(super) struct FrontEnd {
    address: SocketAddr,
    folder: PathBuf,
    child: Child,
    finished: ChildStdin,
    _said: Lines<BufReader<ChildStdout>>,
}

impl FrontEnd {
    pub(super) async fn start(folder: &Path) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("failed to find this program")?;
        let settings = [
            ("DATA__DIR", folder.display().to_string()),
            ("STORE__URL", format!("sqlite://{DATABASE}")),
            ("QUEUE__URL", "memory://".to_owned()),
            ("SIGNAL__URL", "memory://".to_owned()),
            ("BLOBS__URL", "file://media".to_owned()),
            ("SERVER__LISTEN", "127.0.0.1:0".to_owned()),
            ("LOG__FILTER", "warn".to_owned()),
        ];
        let mut child = Command::new(program)
            .args(["bench", "waiting", "--front-end"])
            .envs(settings.map(|(name, value)| (format!("COUNTERSIGN_{name}"), value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("failed to start the front end")?;
        let finished = child.stdin.take().context("the front end has no input")?;
        let mut said = BufReader::new(child.stdout.take().context("the front end has no output")?).lines();
        let address = said.next_line().await?.context("the front end did not start")?;
        let address = address.parse().context("the front end did not say its address")?;
        Ok(Self { address, folder: folder.to_owned(), child, finished, _said: said })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its rows are.
    pub(super) fn store() -> config::Store {
        config::Store { url: format!("sqlite://{DATABASE}").as_str().into(), connections: 4, migrate: true }
    }

    pub(super) fn data(&self) -> config::Data {
        config::Data { dir: self.folder.clone() }
    }

    pub(super) fn resident_bytes(&self) -> anyhow::Result<u64> {
        process::resident_bytes_of(self.child.id().context("the front end has ended")?)
    }

    /// Announces that it has finished, as a worker would.
    pub(super) async fn announce(&mut self, id: VerificationId) -> anyhow::Result<()> {
        self.finished.write_all(format!("{id}\n").as_bytes()).await.context("the front end has ended")
    }

    pub(super) async fn stop(self) -> anyhow::Result<()> {
        let Self { mut child, finished, .. } = self;
        drop(finished);
        child.wait().await.context("failed to wait for the front end")?;
        Ok(())
    }
}

/// What the child does until its input ends.
pub(super) async fn serve(config: &Config, adapters: Adapters) -> anyhow::Result<ExitCode> {
    let (_readiness, watched) = watch::channel(Readiness::Ready);
    let app = App::build(config, &adapters, watched, Arc::new(String::new))?;
    say(&app.addr().to_string());
    let stop = CancellationToken::new();
    let serving = tokio::spawn(app.run(stop.clone()));
    let (read, mut lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| read.send(line))
    });
    while let Some(line) = lines.recv().await {
        adapters.signal.announce(line.parse()?, Change::End).await;
    }
    stop.cancel();
    serving.await.context("the front end panicked")??;
    Ok(ExitCode::SUCCESS)
}
