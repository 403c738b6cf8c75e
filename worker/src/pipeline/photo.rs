//! A selfie against an ID card.

use std::sync::Arc;
use std::thread;

use countersign_shared::domain::{
    Evidence, Kind, MediaRole, ModelUsed, PhotoEvidence, REPORT_VERSION, Report, Thresholds, Timestamp,
    Verdict,
};

use super::still::{Still, StillStage, Subject};
use super::{Job, PipelineError, decide};
use crate::engines::media::MediaLimits;

/// Everything that a photo is verified with.
pub struct PhotoPipeline {
    still: Arc<StillStage>,
    limits: MediaLimits,
    thresholds: Thresholds,
    models: Vec<ModelUsed>,
    fail_fast: bool,
}

impl PhotoPipeline {
    /// `models` are those that the report names, in the order of first use. With `fail_fast` no card is looked at whose photo
    /// alone fails.
    pub fn new(
        still: Arc<StillStage>,
        limits: MediaLimits,
        thresholds: Thresholds,
        models: Vec<ModelUsed>,
        fail_fast: bool,
    ) -> Self {
        Self { still, limits, thresholds, models, fail_fast }
    }

    /// Runs one job of [`Kind::Photo`].
    pub fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        let started_at = Timestamp::now();
        let (card, photo) = if self.fail_fast { self.in_turn(job)? } else { self.side_by_side(job)? };
        let distance = match (&card.embedding, &photo.embedding) {
            (Some(card), Some(photo)) => Some(self.still.embedder.distance(card, photo)),
            _ => None,
        };
        let evidence = PhotoEvidence { id_card: card.evidence, photo: photo.evidence, distance };
        let checks = decide::photo_checks(&evidence, &self.thresholds);
        Ok(Report {
            version: REPORT_VERSION,
            kind: Kind::Photo,
            verdict: decide::verdict(&checks),
            checks,
            started_at,
            ended_at: Timestamp::now(),
            thresholds: self.thresholds,
            models: self.models.clone(),
            evidence: Evidence::Photo(evidence),
        })
    }

    fn side_by_side(&self, job: &Job) -> Result<(Still, Still), PipelineError> {
        let (card, photo) = thread::scope(|scope| {
            let card = thread::Builder::new()
                .name("card".to_owned())
                .spawn_scoped(scope, || self.look(job, MediaRole::IdCard, Subject::Card));
            let photo = self.look(job, MediaRole::Photo, Subject::Selfie);
            let card = card
                .map_err(|error| PipelineError::Retryable(format!("no thread for the card: {error}")))
                .and_then(|card| {
                    card.join()
                        .unwrap_or_else(|_| Err(PipelineError::Retryable("the card panicked".to_owned())))
                });
            (card, photo)
        });
        Ok((card?, photo?))
    }

    /// The photo first; the card only if it can change the verdict.
    fn in_turn(&self, job: &Job) -> Result<(Still, Still), PipelineError> {
        let photo = self.look(job, MediaRole::Photo, Subject::Selfie)?;
        let passed = decide::verdict(&decide::spoof_checks(&photo.evidence, &self.thresholds));
        let card = match passed {
            Verdict::Passed => self.look(job, MediaRole::IdCard, Subject::Card)?,
            Verdict::Rejected => Still::absent(),
        };
        Ok((card, photo))
    }

    fn look(&self, job: &Job, role: MediaRole, subject: Subject) -> Result<Still, PipelineError> {
        self.still.look_at(job.file(role)?, &self.limits, subject, &job.cancelled)
    }
}
