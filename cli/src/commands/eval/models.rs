//! The models under evaluation, exactly as the service would load and feed them.

use std::path::Path;

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_worker::engines::media::{DecodedImage, MediaLimits, decode_image};
use countersign_worker::models::{Manifest, ModelFiles};
use countersign_worker::pipeline::PipelineError;
use countersign_worker::pipeline::faces::Faces;

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
        files.ensure(&profile)?;
        let faces = Faces::load(&config, &profile, &files).context("failed to load the models")?;
        Ok(Self { faces, profile: config.models.profile.clone(), limits: MediaLimits::new(&config) })
    }

    /// Decodes the file and looks at it. What an upload would be refused for is a failure to acquire; what is this
    /// machine's fault, such as a file that is not there, ends the evaluation.
    pub(super) fn look<T>(
        &self,
        file: &Path,
        look: impl FnOnce(&DecodedImage) -> Result<Look<T>, PipelineError>,
    ) -> anyhow::Result<Look<T>> {
        let decoded = decode_image(file, &self.limits).map_err(PipelineError::from);
        match decoded.and_then(|image| look(&image)) {
            Ok(look) => Ok(look),
            Err(PipelineError::Permanent(failure)) => Ok(Look::Nothing(failure.code.code().to_owned())),
            Err(error) => Err(error).with_context(|| format!("failed to look at {}", file.display())),
        }
    }

    /// For the worst cases.
    pub(super) fn decoded(&self, file: &Path) -> Option<DecodedImage> {
        decode_image(file, &self.limits).ok()
    }
}
