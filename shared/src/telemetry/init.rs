//! How logging starts.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::{Log, LogFormat};

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("log.filter is no tracing filter")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    #[error("logging has been started already")]
    LogsStarted(#[from] tracing_subscriber::util::TryInitError),
    #[error("failed to start metrics")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
}

/// Sends logs to standard error for the rest of the process's life; standard output stays for results.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(&log.filter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
    match log.format {
        LogFormat::Text => builder.with_ansi(stderr().is_terminal()).finish().try_init()?,
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}
