//! The models under evaluation, exactly as the service would load and feed them.

use std::path::Path;

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_shared::domain::{Digits, Language, ModelUsed};
use countersign_worker::engines::media::{DecodedImage, MediaLimits, decode_audio, decode_image};
use countersign_worker::engines::speech::{Heard, SpeechEngine, SpeechLimits};
use countersign_worker::models::{Manifest, ModelFiles};
use countersign_worker::pipeline::PipelineError;
use countersign_worker::pipeline::faces::{Faces, used};
use countersign_worker::pipeline::load::load_speech;
use tokio_util::sync::CancellationToken;

use super::work::Look;

/// The face models of the configured profile, with as many sessions as threads.
pub(super) struct FaceModels {
    pub(super) faces: Faces,
    pub(super) profile: String,
    limits: MediaLimits,
}

impl FaceModels {
    pub(super) fn load(config: &Config, threads: usize) -> anyhow::Result<Self> {
        let mut config = config.clone();
        config.models.sessions = threads;
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        files.ensure(profile.models())?;
        let faces = Faces::load(&config, &profile, &files).context("failed to load the models")?;
        Ok(Self { faces, profile: config.models.profile.clone(), limits: MediaLimits::new(&config) })
    }

    /// Decodes the file and looks at it.
    pub(super) fn look<T>(
        &self,
        file: &Path,
        look: impl FnOnce(&DecodedImage) -> Result<Look<T>, PipelineError>,
    ) -> anyhow::Result<Look<T>> {
        let decoded = decode_image(file, &self.limits).map_err(PipelineError::from);
        acquired(decoded.and_then(|image| look(&image)), || format!("failed to look at {}", file.display()))
    }

    /// For the worst cases.
    pub(super) fn decoded(&self, file: &Path) -> Option<DecodedImage> {
        decode_image(file, &self.limits).ok()
    }
}

/// What an upload would be refused for is a failure to acquire; what is this machine's fault, such as a file that is not
/// there, ends the evaluation.
pub(super) fn acquired<T>(
    look: Result<Look<T>, PipelineError>,
    failed: impl FnOnce() -> String,
) -> anyhow::Result<Look<T>> {
    match look {
        Ok(look) => Ok(look),
        Err(PipelineError::Permanent(failure)) => Ok(Look::Nothing(failure.code.code().to_owned())),
        Err(error) => Err(error).with_context(failed),
    }
}

/// The recogniser and the voice detector of the configured profile, with as many threads as the evaluation has.
pub(super) struct SpeechModels {
    pub(super) profile: String,
    engine: SpeechEngine,
    used: Vec<ModelUsed>,
    media: MediaLimits,
    limits: SpeechLimits,
}

impl SpeechModels {
    pub(super) fn load(config: &Config, limits: SpeechLimits, threads: usize) -> anyhow::Result<Self> {
        let profile = Manifest::load(&config.models.manifest)?.profile(&config.models.profile)?;
        let files = ModelFiles::new(config.data.resolve(&config.models.dir));
        let engine = load_speech(&profile, &files, config.models.speech_device.parse()?, threads)
            .context("failed to load the models")?;
        let used = vec![used(&profile.voice_detector.model), used(&profile.recogniser.model)];
        Ok(Self {
            profile: config.models.profile.clone(),
            engine,
            used,
            media: MediaLimits::new(config),
            limits,
        })
    }

    pub(super) fn used(&self) -> Vec<ModelUsed> {
        self.used.clone()
    }

    /// Weighs each of the codes against the file's sound.
    pub(super) fn listen(
        &self,
        file: &Path,
        language: Language,
        codes: Vec<Digits>,
    ) -> anyhow::Result<Look<Heard>> {
        let never = CancellationToken::new();
        let decoded = decode_audio(file, &self.media).map_err(PipelineError::from);
        let heard = decoded.and_then(|samples| {
            let heard = self.engine.assess_each(samples.into(), language, codes, &self.limits, &never);
            Ok(Look::Found(heard?))
        });
        acquired(heard, || format!("failed to listen to {}", file.display()))
    }
}
