//! The pipeline of a configured profile: every model loaded and warm, one dispatch by kind.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_shared::config::Config;
use countersign_shared::domain::{Failure, Kind, ProblemCode, Report};

use super::faces::Faces;
use super::photo::PhotoPipeline;
use super::spoof::SpoofPipeline;
use super::{Job, Pipeline, PipelineError};
use crate::engines::EngineError;
use crate::engines::media::MediaLimits;
use crate::engines::onnx::InvalidDevice;
use crate::models::{Manifest, ManifestError, ModelFiles};

/// Every kind of verification on the models of one profile.
pub struct VerificationPipeline {
    photo: PhotoPipeline,
    spoof: SpoofPipeline,
}

/// The pipeline can't start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("model `{model}` is not at {}: run `countersign models pull`", path.display())]
    Missing { model: String, path: PathBuf },
    #[error(transparent)]
    Device(#[from] InvalidDevice),
    #[error("failed to load the models: {0}")]
    Engine(#[from] EngineError),
}

impl VerificationPipeline {
    /// Loads the models of the configured profile and runs each once; takes seconds.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        let faces = Faces::load(config, &profile, &files)?;
        let (limits, thresholds) = (MediaLimits::new(config), config.pipeline.thresholds());
        let still = || Arc::clone(&faces.still);
        Ok(Self {
            photo: PhotoPipeline::new(still(), limits, thresholds, faces.for_comparison()),
            spoof: SpoofPipeline::new(still(), limits, thresholds, faces.for_liveness()),
        })
    }
}

impl Pipeline for VerificationPipeline {
    fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        match job.request.kind {
            Kind::Photo => self.photo.run(job),
            Kind::Spoof => self.spoof.run(job),
            Kind::Video => Err(PipelineError::Permanent(Failure::new(
                ProblemCode::UnsupportedMedia,
                "this build looks at photos only",
            ))),
        }
    }
}
