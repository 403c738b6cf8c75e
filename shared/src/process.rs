//! What every serving process does around its work: logs, metrics, and the signal to stop.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::config::Log;
use crate::telemetry::metrics::Page;
use crate::telemetry::{self, TelemetryError};

/// Samples of metrics are kept at most this long before they are folded.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// The exit code of a process that was told twice to stop.
const KILLED: i32 = 130;

/// A process whose logs and metrics have started.
pub struct Process {
    pub page: Page,
    /// Cancelled by the first SIGTERM or Ctrl-C; the second ends the process at once.
    pub shutdown: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("failed to start logs and metrics")]
    Telemetry(#[from] TelemetryError),
    #[error("failed to listen for the signals that stop a process")]
    Signals(#[source] io::Error),
}

impl Process {
    /// Once in the life of a process, on its runtime.
    pub fn start(log: &Log) -> Result<Self, ProcessError> {
        // Only the first provider installed counts, and nothing has installed one before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        telemetry::init(log)?;
        let page = Page::install()?;
        tokio::spawn(fold_metrics(page.clone()));
        Ok(Self { page, shutdown: stop_signal().map_err(ProcessError::Signals)? })
    }
}

async fn fold_metrics(page: Page) {
    let mut ticks = tokio::time::interval(FOLD_EVERY);
    loop {
        ticks.tick().await;
        page.fold();
    }
}

fn stop_signal() -> io::Result<CancellationToken> {
    let token = CancellationToken::new();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stopped = token.clone();
    tokio::spawn(async move {
        for is_first in [true, false] {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if is_first {
                stopped.cancel();
            }
        }
        // Whatever still runs is given back when its lease runs out, as after a crash. Without the native libraries' exit
        // handlers, which would free what pipelines still use: `std::process::exit` runs them, and sometimes crashed.
        signal_hook::low_level::exit(KILLED);
    });
    Ok(token)
}
