//! The pipeline of a configured profile: every model loaded and warm, one dispatch by kind.

use std::panic::resume_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use countersign_shared::config::Config;
use countersign_shared::domain::{Kind, Report};

use super::faces::{Faces, present, used};
use super::photo::PhotoPipeline;
use super::spoof::SpoofPipeline;
use super::video::VideoPipeline;
use super::{Job, Pipeline, PipelineError};
use crate::engines::EngineError;
use crate::engines::media::MediaLimits;
use crate::engines::onnx::InvalidDevice;
use crate::engines::speech::SpeechEngine;
use crate::models::{Manifest, ManifestError, ModelFiles, NotReady, Profile};

/// Recogniser states when their number is not configured: each holds some hundred megabytes.
const SPEECH_SESSIONS_MAX: usize = 4;

/// Every kind of verification on the models of one profile.
pub struct VerificationPipeline {
    photo: PhotoPipeline,
    spoof: SpoofPipeline,
    pub video: VideoPipeline,
}

/// The pipeline can't start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("model `{model}` is not at {}: run `countersign models pull`", path.display())]
    Missing { model: String, path: PathBuf },
    #[error(transparent)]
    NotReady(#[from] NotReady),
    #[error(transparent)]
    Device(#[from] InvalidDevice),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl VerificationPipeline {
    /// Loads the models of the configured profile and runs each once; takes seconds.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        files.ensure(&profile)?;
        let (limits, thresholds) = (MediaLimits::new(config), config.pipeline.thresholds());
        let sessions = match config.models.speech_sessions {
            0 => config.worker.effective_permits().min(SPEECH_SESSIONS_MAX),
            sessions => sessions,
        };
        // Side by side: half of a start is either.
        let (faces, speech) = thread::scope(|scope| {
            let speech = scope.spawn(|| load_speech(&profile, &files, sessions));
            (Faces::load(config, &profile, &files), speech.join())
        });
        let faces = faces?;
        let speech = speech.unwrap_or_else(|panic| resume_unwind(panic))?;
        let still = || Arc::clone(&faces.still);
        let mut for_video = faces.for_comparison();
        for_video.extend([used(&profile.voice_detector.model), used(&profile.recogniser.model)]);
        Ok(Self {
            photo: PhotoPipeline::new(
                still(),
                limits,
                thresholds,
                faces.for_comparison(),
                config.pipeline.fail_fast,
            ),
            spoof: SpoofPipeline::new(still(), limits, thresholds, faces.for_liveness()),
            video: VideoPipeline::new(config, still(), Arc::new(speech), for_video),
        })
    }
}

/// The recogniser and the voice detector of the profile, with so many threads.
pub fn load_speech(
    profile: &Profile,
    files: &ModelFiles,
    sessions: usize,
) -> Result<SpeechEngine, LoadError> {
    let recogniser = present(files, &profile.recogniser.model)?;
    let voice = present(files, &profile.voice_detector.model)?;
    Ok(SpeechEngine::load(&recogniser, &voice, sessions)?)
}

impl Pipeline for VerificationPipeline {
    fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        match job.request.kind {
            Kind::Photo => self.photo.run(job),
            Kind::Spoof => self.spoof.run(job),
            Kind::Video => self.video.run(job),
        }
    }
}
