//! The face models of a profile, loaded and warm.

use std::sync::Arc;

use countersign_shared::config::Config;
use countersign_shared::domain::ModelUsed;

use super::load::LoadError;
use super::still::StillStage;
use crate::engines::onnx::{Batching, Device, Devices, ModelSettings, OnnxModel, Runtime};
use crate::models::{Model, ModelFiles, Profile};
use crate::stages::detect::{Canvases, FaceDetector};
use crate::stages::embed::FaceEmbedder;
use crate::stages::landmarks::FaceLandmarks;
use crate::stages::liveness::{Judge, LivenessJudges};

/// The stages that look at faces, shared by every pipeline.
pub struct Faces {
    pub still: Arc<StillStage>,
    pub detector: ModelUsed,
    pub embedder: ModelUsed,
    pub liveness: Vec<ModelUsed>,
    pub landmarks: Option<ModelUsed>,
}

impl Faces {
    /// Loads every face model of the profile and warms it up.
    pub fn load(config: &Config, profile: &Profile, files: &ModelFiles) -> Result<Self, LoadError> {
        let loader = Loader::new(config, profile, files)?;
        let detector = &profile.detector;
        let embedder = &profile.embedder;
        let landmarks = &profile.landmarks;
        let mut judges = Vec::with_capacity(profile.liveness.len());
        for role in &profile.liveness {
            let settings = role.judge.work.clone();
            let model = loader.load(&role.judge.model, LivenessJudges::shapes(&settings))?;
            judges.push(Judge { model, settings, weight: f64::from(role.weight), standard: role.standard });
        }
        let canvases = match loader.devices.kind() {
            Device::Cpu | Device::OpenVino => Canvases::Snug,
            Device::Cuda(_) | Device::TensorRt(_) => Canvases::Square,
        };
        let still = StillStage {
            detector: Arc::new(FaceDetector::new(
                loader.load(&detector.model, FaceDetector::shapes(&detector.work, canvases))?,
                detector.work.clone(),
                canvases,
            )?),
            embedder: Arc::new(FaceEmbedder::new(
                loader.load(&embedder.model, FaceEmbedder::shapes(&embedder.work))?,
                embedder.work.clone(),
            )),
            liveness: Arc::new(LivenessJudges::new(judges, profile.liveness_scale)),
            landmarks: Arc::new(match landmarks {
                Some(landmarks) => FaceLandmarks::new(
                    loader.load(&landmarks.model, FaceLandmarks::shapes(&landmarks.work))?,
                    landmarks.work.clone(),
                ),
                None => FaceLandmarks::none(),
            }),
        };
        Ok(Self {
            still: Arc::new(still),
            detector: used(&detector.model),
            embedder: used(&embedder.model),
            liveness: profile.liveness.iter().map(|role| used(&role.judge.model)).collect(),
            landmarks: landmarks.as_ref().map(|landmarks| used(&landmarks.model)),
        })
    }

    /// The models that a face is compared with, in the order of first use.
    pub fn for_comparison(&self) -> Vec<ModelUsed> {
        let mut models = vec![self.detector.clone(), self.embedder.clone()];
        models.extend(self.liveness.iter().cloned());
        models.extend(self.landmarks.clone());
        models
    }

    /// The models that a face is checked with on its own, in the order of first use.
    pub fn for_liveness(&self) -> Vec<ModelUsed> {
        let mut models = vec![self.detector.clone()];
        models.extend(self.liveness.iter().cloned());
        models.extend(self.landmarks.clone());
        models
    }
}

/// A model as the report names it.
pub fn used(model: &Model) -> ModelUsed {
    ModelUsed { name: model.name.clone(), sha256: model.sha256.to_string() }
}

/// Loads models as the settings say: which devices, how many sessions, what size of batch.
pub struct Loader<'a> {
    runtime: Runtime,
    devices: Devices,
    batching: Batching,
    sessions: usize,
    files: &'a ModelFiles,
}

impl<'a> Loader<'a> {
    /// Loads the native library too.
    pub fn new(config: &Config, profile: &Profile, files: &'a ModelFiles) -> Result<Self, LoadError> {
        let library = match config.models.runtime.as_os_str() {
            own if own.is_empty() => present(files, &profile.runtime.model)?,
            other => other.into(),
        };
        let devices: Devices = config.models.device.parse()?;
        let sessions = match config.models.sessions {
            0 => devices.sessions(config.worker.effective_permits()),
            sessions => sessions,
        };
        let most = match config.models.max_batch {
            0 => devices.kind().max_batch(),
            most => most,
        };
        let batching = Batching { most, delay: config.models.batch_delay };
        Ok(Self { runtime: Runtime::load(&library)?, devices, batching, sessions, files })
    }

    /// Warms the model up with each of the shapes.
    pub fn load(&self, model: &Model, shapes: Vec<Vec<usize>>) -> Result<Arc<OnnxModel>, LoadError> {
        let settings = ModelSettings {
            name: model.name.clone(),
            file: present(self.files, model)?,
            devices: self.devices.clone(),
            batching: self.batching,
            sessions: self.sessions,
            shapes,
        };
        Ok(Arc::new(OnnxModel::load(&self.runtime, &settings)?))
    }
}

/// Where the model lies, if it does.
fn present(files: &ModelFiles, model: &Model) -> Result<std::path::PathBuf, LoadError> {
    let path = files.path(model);
    if path.is_file() { Ok(path) } else { Err(LoadError::Missing { model: model.name.clone(), path }) }
}
