//! One photo for signs of a presentation attack.

use std::sync::Arc;

use countersign_shared::domain::{
    Evidence, Kind, MediaRole, ModelUsed, REPORT_VERSION, Report, SpoofEvidence, Thresholds, Timestamp,
};

use super::still::{StillStage, Subject};
use super::{Job, PipelineError, decide};
use crate::engines::media::MediaLimits;

/// Everything that a photo is checked with.
pub struct SpoofPipeline {
    still: Arc<StillStage>,
    limits: MediaLimits,
    thresholds: Thresholds,
    models: Vec<ModelUsed>,
}

impl SpoofPipeline {
    /// `models` are those that the report names, in the order of first use.
    pub fn new(
        still: Arc<StillStage>,
        limits: MediaLimits,
        thresholds: Thresholds,
        models: Vec<ModelUsed>,
    ) -> Self {
        Self { still, limits, thresholds, models }
    }

    /// Runs one job of [`Kind::Spoof`].
    pub fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        let started_at = Timestamp::now();
        let file = job.file(MediaRole::Photo)?;
        let photo = self.still.look_at(file, &self.limits, Subject::LoneSelfie, &job.cancelled)?.evidence;
        let checks = decide::spoof_checks(&photo, &self.thresholds);
        Ok(Report {
            version: REPORT_VERSION,
            kind: Kind::Spoof,
            verdict: decide::verdict(&checks),
            checks,
            started_at,
            ended_at: Timestamp::now(),
            thresholds: self.thresholds,
            models: self.models.clone(),
            evidence: Evidence::Spoof(SpoofEvidence { photo }),
        })
    }
}
