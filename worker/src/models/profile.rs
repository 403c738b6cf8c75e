//! A profile: which model plays each role. An operator swaps a model by naming another here.

use serde::Deserialize;

use super::manifest::{ManifestError, Model};
use super::odds::log_odds;
use super::task::{
    Detector, Embedder, EyeJudge, LandmarkFinder, LivenessJudge, Recogniser, Runtime, Task, VoiceDetector,
};

/// The models that run together, every reference resolved.
#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub detector: Cast<Detector>,
    pub embedder: Cast<Embedder>,
    /// A profile may do without: reports then have no landmarks.
    pub landmarks: Option<Cast<LandmarkFinder>>,
    /// At least one; their log-odds are standardised and fused by weight.
    pub liveness: Vec<LivenessRole>,
    pub liveness_scale: LivenessScale,
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
    pub standard: Standard,
}

/// How a model's log-odds are laid out, so that several models can be compared: `(log-odds - mean) / deviation`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standard {
    pub mean: f64,
    /// More than 0.
    pub deviation: f64,
}

/// From the fused log-odds to the confidence of the API, where `operating_point` is 0.9.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LivenessScale {
    pub operating_point: f64,
    /// That of a clip's mean over its frames, unless it is the same: what is odd about single frames averages out, so
    /// that more can be asked.
    pub clip_operating_point: Option<f64>,
    /// By how much the confidence's log-odds grow for each unit; more than 0.
    pub steepness: f64,
}

/// One model, measured from its own operating point, needs no other.
impl Default for LivenessScale {
    fn default() -> Self {
        Self { operating_point: 0.0, clip_operating_point: None, steepness: 1.0 }
    }
}

impl Standard {
    /// Log-odds measured from the operating point of the model itself, a probability.
    pub fn from_threshold(threshold: f32) -> Self {
        Self { mean: log_odds(threshold.into()), deviation: 1.0 }
    }
}

impl Profile {
    /// Every model of the profile, in the order of the work.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        [&self.detector.model, &self.embedder.model]
            .into_iter()
            .chain(self.landmarks.iter().map(|landmarks| &landmarks.model))
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
    landmarks: Option<String>,
    liveness: Vec<LivenessEntry>,
    #[serde(default)]
    liveness_scale: LivenessScale,
    eyes: Option<String>,
    speech: String,
    voice_activity: String,
    runtime: Vec<String>,
}

/// A liveness model of a profile; `scales` and `box_height` replace the model's own. Without a `standard` the log-odds
/// are measured from the model's threshold, as they are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct LivenessEntry {
    model: String,
    weight: f32,
    scales: Option<Vec<f32>>,
    box_height: Option<f32>,
    standard: Option<Standard>,
}

impl ProfileEntry {
    /// Every model that is named, with its role, whatever machine this is.
    pub(super) fn references(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let singles = [
            ("detect", &self.detect),
            ("embed", &self.embed),
            ("speech", &self.speech),
            ("voice_activity", &self.voice_activity),
        ];
        let landmarks = self.landmarks.iter().map(|model| ("landmarks", model.as_str()));
        let liveness = self.liveness.iter().map(|entry| ("liveness", entry.model.as_str()));
        let eyes = self.eyes.iter().map(|model| ("eyes", model.as_str()));
        let runtime = self.runtime.iter().map(|model| ("runtime", model.as_str()));
        singles
            .into_iter()
            .map(|(role, model)| (role, model.as_str()))
            .chain(landmarks)
            .chain(liveness)
            .chain(eyes)
            .chain(runtime)
    }

    /// What references alone can't say.
    pub(super) fn fault(&self) -> Option<&'static str> {
        let positive = |number: &f32| number.is_finite() && *number > 0.0;
        let mut scales = self.liveness.iter().filter_map(|entry| entry.scales.as_ref());
        let mut heights = self.liveness.iter().filter_map(|entry| entry.box_height.as_ref());
        if self.liveness.is_empty() {
            Some("names no liveness model")
        } else if !self.liveness.iter().all(|entry| positive(&entry.weight)) {
            Some("gives a liveness model a weight that is not more than 0")
        } else if !scales.all(|scales| !scales.is_empty() && scales.iter().all(positive)) {
            Some("gives a liveness model no scales, or one that is not more than 0")
        } else if !heights.all(positive) {
            Some("gives a liveness model a box height that is not more than 0")
        } else if !self.standards_hold() {
            Some("gives its liveness models a deviation or steepness that is not more than 0")
        } else {
            None
        }
    }

    fn standards_hold(&self) -> bool {
        let positive = |number: f64| number.is_finite() && number > 0.0;
        let standards = self.liveness.iter().filter_map(|entry| entry.standard);
        positive(self.liveness_scale.steepness)
            && self.liveness_scale.operating_point.is_finite()
            && self.liveness_scale.clip_operating_point.is_none_or(f64::is_finite)
            && standards.into_iter().all(|standard| standard.mean.is_finite() && positive(standard.deviation))
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
            judge.work.box_height = entry.box_height.unwrap_or(judge.work.box_height);
            let standard = entry.standard.unwrap_or_else(|| Standard::from_threshold(judge.work.threshold));
            liveness.push(LivenessRole { judge, weight: entry.weight, standard });
        }
        let mut fitting = None;
        for reference in &self.runtime {
            let runtime = cast!("runtime", Runtime, reference);
            if runtime.work.fits_this_machine() {
                fitting.get_or_insert(runtime);
            }
        }
        let landmarks = match &self.landmarks {
            Some(reference) => Some(cast!("landmarks", Landmarks, reference)),
            None => None,
        };
        let eyes = match &self.eyes {
            Some(reference) => Some(cast!("eyes", Eyes, reference)),
            None => None,
        };
        Ok(Profile {
            name: name.to_owned(),
            detector: cast!("detect", Detect, &self.detect),
            embedder: cast!("embed", Embed, &self.embed),
            landmarks,
            liveness,
            liveness_scale: self.liveness_scale,
            eyes,
            recogniser: cast!("speech", Speech, &self.speech),
            voice_detector: cast!("voice_activity", VoiceActivity, &self.voice_activity),
            runtime: fitting.ok_or_else(|| ManifestError::NoRuntime { profile: name.to_owned() })?,
        })
    }
}
