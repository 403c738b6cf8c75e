//! The pipeline that is measured around.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use countersign_shared::domain::{
    Evidence, Kind, REPORT_VERSION, Report, SpoofEvidence, StillEvidence, Thresholds, Timestamp, Verdict,
};
use countersign_worker::pipeline::{Job, Pipeline, PipelineError};

/// Finds nothing, at once: what is measured is everything else.
pub(super) struct NoPipeline {
    pub(super) thresholds: Thresholds,
    pub(super) gate: Arc<Gate>,
}

/// Holds every job back while it is closed, and counts those that went through.
#[derive(Default)]
pub(super) struct Gate {
    closed: Mutex<bool>,
    opened: Condvar,
    passed: AtomicUsize,
}

impl Gate {
    pub(super) fn close(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = true;
    }

    pub(super) fn open(&self) {
        *self.closed.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.opened.notify_all();
    }

    pub(super) fn passed(&self) -> usize {
        self.passed.load(Ordering::Relaxed)
    }

    fn pass(&self) {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.opened.wait_while(closed, |closed| *closed).unwrap_or_else(PoisonError::into_inner));
        self.passed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Pipeline for NoPipeline {
    fn run(&self, _job: &Job) -> Result<Report, PipelineError> {
        self.gate.pass();
        let now = Timestamp::now();
        Ok(Report {
            version: REPORT_VERSION,
            kind: Kind::Spoof,
            verdict: Verdict::Rejected,
            checks: Vec::new(),
            started_at: now,
            ended_at: now,
            thresholds: self.thresholds,
            models: Vec::new(),
            evidence: Evidence::Spoof(SpoofEvidence { photo: StillEvidence::faceless(0, 0) }),
        })
    }
}
