//! A selfie against an ID card.

use std::sync::Arc;
use std::thread;

use countersign_shared::domain::{
    Evidence, Kind, MediaRole, ModelUsed, PhotoEvidence, REPORT_VERSION, Report, Thresholds, Timestamp,
};
use countersign_shared::telemetry;

use super::still::{Still, StillStage, Subject};
use super::{Job, PipelineError, decide};
use crate::engines::media::{MediaLimits, decode_image};

/// Everything that a photo is verified with.
pub struct PhotoPipeline {
    still: Arc<StillStage>,
    limits: MediaLimits,
    thresholds: Thresholds,
    models: Vec<ModelUsed>,
}

impl PhotoPipeline {
    /// `models` are those that the report names, in the order of first use.
    pub fn new(
        still: Arc<StillStage>,
        limits: MediaLimits,
        thresholds: Thresholds,
        models: Vec<ModelUsed>,
    ) -> Self {
        Self { still, limits, thresholds, models }
    }

    /// Runs one job of [`Kind::Photo`]. The card is looked at beside the selfie.
    pub fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        let started_at = Timestamp::now();
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
        let (card, photo) = (card?, photo?);
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

    fn look(&self, job: &Job, role: MediaRole, subject: Subject) -> Result<Still, PipelineError> {
        let image = {
            let _stage = telemetry::stage("decode");
            decode_image(job.file(role)?, &self.limits)?
        };
        self.still.look(&image, subject, &job.cancelled)
    }
}
