//! Logs, spans and metrics: how they start, and the one place that names a metric.
//!
//! - [`init()`]: logs, as text or JSON, on standard error.
//! - [`metrics`]: every metric's name, its buckets, and the page that Prometheus reads.
//! - [`events`]: what happens, one function each, which logs it and counts it.
//! - [`stage()`]: a span and a duration around one step of a job.
//!
//! No field holds a face, digits, a transcript, a name, an address or a key.

pub mod events;
mod init;
mod listen;
pub mod metrics;
mod stage;

pub use init::{TelemetryError, init};
pub use listen::listen;
pub use stage::{Stage, stage};
