//! A profile: which model plays each role. An operator swaps a model by naming another here.

use serde::Deserialize;

use super::manifest::{ManifestError, Model};
use super::task::{
    Detector, Embedder, EyeJudge, LandmarkFinder, LivenessJudge, Recogniser, Runtime, Task, VoiceDetector,
};

/// The models that run together, every reference resolved.
#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub detector: Cast<Detector>,
    pub embedder: Cast<Embedder>,
    pub landmarks: Cast<LandmarkFinder>,
    /// At least one; their verdicts are fused by weight.
    pub liveness: Vec<LivenessRole>,
    pub eyes: Option<Cast<EyeJudge>>,
    pub recogniser: Cast<Recogniser>,
    pub voice_detector: Cast<VoiceDetector>,
    /// The library for this machine's processor.
    pub runtime: Cast<Runtime>,
}

/// A model in its role, with what its stage must know.
#[derive(Debug, Clone)]
pub struct Cast<Work> {
    pub model: Model,
    pub work: Work,
}

/// One of the liveness models and its say in the verdict.
#[derive(Debug, Clone)]
pub struct LivenessRole {
    pub judge: Cast<LivenessJudge>,
    /// More than 0; only its ratio to the other models' weights matters.
    pub weight: f32,
}

impl Profile {
    /// Every model of the profile, in the order of the work.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        [&self.detector.model, &self.embedder.model, &self.landmarks.model]
            .into_iter()
            .chain(self.liveness.iter().map(|role| &role.judge.model))
            .chain(self.eyes.iter().map(|eyes| &eyes.model))
            .chain([&self.recogniser.model, &self.voice_detector.model, &self.runtime.model])
    }
}

/// A profile as the manifest writes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileEntry {
    detect: String,
    embed: String,
    landmarks: String,
    liveness: Vec<LivenessEntry>,
    eyes: Option<String>,
    speech: String,
    voice_activity: String,
    runtime: Vec<String>,
}

/// A liveness model of a profile; `scales` replace the model's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LivenessEntry {
    model: String,
    weight: f32,
    scales: Option<Vec<f32>>,
}

impl ProfileEntry {
    /// Every model that is named, with its role, whatever machine this is.
    pub(super) fn references(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let singles = [
            ("detect", &self.detect),
            ("embed", &self.embed),
            ("landmarks", &self.landmarks),
            ("speech", &self.speech),
            ("voice_activity", &self.voice_activity),
        ];
        let liveness = self.liveness.iter().map(|entry| ("liveness", entry.model.as_str()));
        let eyes = self.eyes.iter().map(|model| ("eyes", model.as_str()));
        let runtime = self.runtime.iter().map(|model| ("runtime", model.as_str()));
        singles
            .into_iter()
            .map(|(role, model)| (role, model.as_str()))
            .chain(liveness)
            .chain(eyes)
            .chain(runtime)
    }

    /// What references alone can't say.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let weights = self.liveness.iter().all(|entry| entry.weight.is_finite() && entry.weight > 0.0);
        let scales = self.liveness.iter().filter_map(|entry| entry.scales.as_ref());
        if self.liveness.is_empty() {
            Some("names no liveness model")
        } else if !weights {
            Some("gives a liveness model a weight that is not more than 0")
        } else if scales
            .into_iter()
            .any(|scales| scales.is_empty() || scales.iter().any(|scale| *scale <= 0.0))
        {
            Some("gives a liveness model no scales, or one that is not more than 0")
        } else {
            None
        }
    }

    pub(super) fn resolve<'a>(
        &self,
        name: &str,
        find: impl Fn(&str) -> Option<&'a Model>,
    ) -> Result<Profile, ManifestError> {
        let model = |role: &'static str, reference: &str| {
            let missing =
                || ManifestError::Reference { profile: name.to_owned(), role, model: reference.to_owned() };
            let model = find(reference).ok_or_else(missing)?;
            if model.task.name() == role { Ok(model.clone()) } else { Err(missing()) }
        };
        macro_rules! cast {
            ($role:literal, $variant:ident, $reference:expr) => {{
                let model = model($role, $reference)?;
                match model.task.clone() {
                    Task::$variant(work) => Cast { model, work },
                    _ => unreachable!("the task's name was compared, this is a bug"),
                }
            }};
        }
        let mut liveness = Vec::with_capacity(self.liveness.len());
        for entry in &self.liveness {
            let mut judge = cast!("liveness", Liveness, &entry.model);
            if let Some(scales) = &entry.scales {
                judge.work.scales.clone_from(scales);
            }
            liveness.push(LivenessRole { judge, weight: entry.weight });
        }
        let mut fitting = None;
        for reference in &self.runtime {
            let runtime = cast!("runtime", Runtime, reference);
            if runtime.work.fits_this_machine() {
                fitting.get_or_insert(runtime);
            }
        }
        let eyes = match &self.eyes {
            Some(reference) => Some(cast!("eyes", Eyes, reference)),
            None => None,
        };
        Ok(Profile {
            name: name.to_owned(),
            detector: cast!("detect", Detect, &self.detect),
            embedder: cast!("embed", Embed, &self.embed),
            landmarks: cast!("landmarks", Landmarks, &self.landmarks),
            liveness,
            eyes,
            recogniser: cast!("speech", Speech, &self.speech),
            voice_detector: cast!("voice_activity", VoiceActivity, &self.voice_activity),
            runtime: fitting.ok_or_else(|| ManifestError::NoRuntime { profile: name.to_owned() })?,
        })
    }
}
