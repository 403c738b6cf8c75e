//! How logging starts.

use std::io::{IsTerminal, stderr};

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Layered, SubscriberExt};
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
        LogFormat::Text => discreet(builder.with_ansi(stderr().is_terminal()).finish()).try_init()?,
        LogFormat::Json => discreet(builder.json().flatten_event(true).finish()).try_init()?,
    }
    Ok(())
}

/// Below warnings the recogniser logs each word that it hears. No filter can turn that on.
fn discreet<S: Subscriber>(subscriber: S) -> Layered<impl tracing_subscriber::Layer<S>, S> {
    let is_discreet = |metadata: &Metadata<'_>| {
        *metadata.level() <= LevelFilter::WARN || !metadata.target().starts_with("whisper_rs")
    };
    subscriber.with(filter_fn(is_discreet))
}
