//! A span and a duration around one step of a job.

use std::time::Instant;

use tracing::span::EnteredSpan;

use super::metrics;

/// One step, until it is dropped. It stays on the thread that began it.
#[must_use = "the stage ends when this is dropped"]
pub struct Stage {
    name: &'static str,
    started: Instant,
    _span: EnteredSpan,
}

/// Begins a step: `let _stage = telemetry::stage("detect");`. The name is the metric's label, so it is one of a few.
pub fn stage(name: &'static str) -> Stage {
    Stage { name, started: Instant::now(), _span: tracing::info_span!("stage", name).entered() }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let duration = self.started.elapsed();
        metrics::stage(self.name, duration);
        tracing::debug!(stage.duration_ms = duration.as_secs_f64() * 1000.0, "stage done");
    }
}
