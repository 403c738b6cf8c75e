//! The pipeline of a configured profile: its models, and one dispatch by kind.

use std::path::PathBuf;
use std::sync::Arc;

use countersign_shared::config::Config;
use countersign_shared::domain::{Kind, Report};
use countersign_shared::memory;

use super::faces::{Faces, used};
use super::photo::PhotoPipeline;
use super::spoof::SpoofPipeline;
use super::video::VideoPipeline;
use super::{Job, Pipeline, PipelineError};
use crate::engines::EngineError;
use crate::engines::media::MediaLimits;
use crate::engines::onnx::InvalidDevice;
use crate::engines::speech::{InvalidSpeechDevice, LateSpeech, SpeechDevice, SpeechEngine};
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
    SpeechDevice(#[from] InvalidSpeechDevice),
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl VerificationPipeline {
    /// Loads the face models of the configured profile and runs each once; speech, whose files are only verified, waits for the first
    /// clip.
    pub fn load(config: &Config) -> Result<Self, LoadError> {
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        files.ensure(profile.models())?;
        let (limits, thresholds) = (MediaLimits::new(config), config.pipeline.thresholds());
        let sessions = match config.models.speech_sessions {
            0 => config.worker.effective_permits().min(SPEECH_SESSIONS_MAX),
            sessions => sessions,
        };
        let device: SpeechDevice = config.models.speech_device.parse()?;
        let faces = Faces::load(config, &profile, &files)?;
        let still = || Arc::clone(&faces.still);
        let mut for_video = faces.for_comparison();
        for_video.extend([used(&profile.voice_detector.model), used(&profile.recogniser.model)]);
        let speech = Arc::new(LateSpeech::new(move || {
            let engine = load_speech(&profile, &files, device, sessions).map_err(unheard)?;
            memory::give_back();
            Ok(Arc::new(engine))
        }));
        memory::give_back();
        Ok(Self {
            photo: PhotoPipeline::new(
                still(),
                limits,
                thresholds,
                faces.for_comparison(),
                config.pipeline.fail_fast,
            ),
            spoof: SpoofPipeline::new(still(), limits, thresholds, faces.for_liveness()),
            video: VideoPipeline::new(config, still(), speech, for_video),
        })
    }
}

/// The recogniser and the voice detector of the profile, with so many threads.
pub fn load_speech(
    profile: &Profile,
    files: &ModelFiles,
    device: SpeechDevice,
    sessions: usize,
) -> Result<SpeechEngine, LoadError> {
    let (recogniser, voice) = (&profile.recogniser.model, &profile.voice_detector.model);
    files.ensure([recogniser, voice])?;
    Ok(SpeechEngine::load(&files.path(recogniser), &files.path(voice), device, sessions)?)
}

fn unheard(error: LoadError) -> EngineError {
    match error {
        LoadError::Engine(error) => error,
        other => EngineError::Failed { engine: "speech", detail: other.to_string() },
    }
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
