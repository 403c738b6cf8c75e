//! The catalogue of models, as `models.toml` lists it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::digest::Digest;
use super::licence::Licence;
use super::profile::{Profile, ProfileEntry};
use super::source::{Expected, Source};
use super::task::Task;

/// The embedded catalogue.
pub const BUILT_IN: &str = include_str!("../../models.toml");

/// Every known model and profile, checked.
#[derive(Debug, Clone)]
pub struct Manifest {
    models: Vec<Model>,
    profiles: BTreeMap<String, ProfileEntry>,
}

/// One file: where it comes from, what it must be, what it may be used for and how it is fed.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub name: String,
    /// Its name in the models' folder.
    pub file: String,
    pub sha256: Digest,
    pub bytes: u64,
    pub licence: Licence,
    /// In the order in which they are tried.
    pub sources: Vec<Source>,
    pub task: Task,
}

/// The catalogue can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("failed to read the model manifest `{}`: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("the model manifest is not valid: {0}")]
    Invalid(#[from] Box<toml::de::Error>),
    #[error("model `{model}` {fault}")]
    Model { model: String, fault: String },
    #[error("profile `{profile}` {fault}")]
    Profile { profile: String, fault: &'static str },
    #[error("profile `{profile}` names `{model}` for {role}, and there is no such model with that task")]
    Reference { profile: String, role: &'static str, model: String },
    #[error("profile `{profile}` has no runtime for this machine's processor ({})", std::env::consts::ARCH)]
    NoRuntime { profile: String },
    #[error("there is no profile `{profile}`; there are: {known}")]
    UnknownProfile { profile: String, known: String },
    #[error("there is no model `{model}`")]
    UnknownModel { model: String },
}

impl Manifest {
    /// The catalogue in that file; an empty path means the built-in one.
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        if path.as_os_str().is_empty() {
            return Self::parse(BUILT_IN);
        }
        let text = std::fs::read_to_string(path)
            .map_err(|source| ManifestError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    pub fn built_in() -> Self {
        Self::parse(BUILT_IN).expect("the embedded manifest is tested, this is a bug")
    }

    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let entry: ManifestEntry = toml::from_str(text).map_err(Box::new)?;
        let manifest = entry.resolve()?;
        manifest.check_files()?;
        manifest.check_profiles()?;
        Ok(manifest)
    }

    /// Every model, by name.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    pub fn model(&self, name: &str) -> Result<&Model, ManifestError> {
        self.find(name).ok_or_else(|| ManifestError::UnknownModel { model: name.to_owned() })
    }

    /// The profile with every reference resolved for this machine.
    pub fn profile(&self, name: &str) -> Result<Profile, ManifestError> {
        let entry = self.profiles.get(name).ok_or_else(|| ManifestError::UnknownProfile {
            profile: name.to_owned(),
            known: self.profiles.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })?;
        entry.resolve(name, |model| self.find(model))
    }

    /// The names of the profiles that use the model.
    pub fn profiles_of<'a>(&'a self, model: &'a str) -> impl Iterator<Item = &'a str> {
        self.profiles
            .iter()
            .filter(move |(_, entry)| entry.references().any(|(_, reference)| reference == model))
            .map(|(name, _)| name.as_str())
    }

    fn find(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }

    fn check_files(&self) -> Result<(), ManifestError> {
        for (index, model) in self.models.iter().enumerate() {
            let fault = |fault: String| ManifestError::Model { model: model.name.clone(), fault };
            let plain =
                !model.file.starts_with('.') && !model.file.contains(['/', '\\']) && !model.file.is_empty();
            if !plain {
                return Err(fault(format!("has `{}` as its file, which is no plain file name", model.file)));
            }
            if let Some(other) = self.models[..index].iter().find(|other| other.file == model.file) {
                return Err(fault(format!("has the same file as `{}`", other.name)));
            }
        }
        Ok(())
    }

    /// Every profile's references lead to models with the right tasks, on whatever machine.
    fn check_profiles(&self) -> Result<(), ManifestError> {
        for (name, entry) in &self.profiles {
            if let Some(fault) = entry.fault() {
                return Err(ManifestError::Profile { profile: name.clone(), fault });
            }
            for (role, reference) in entry.references() {
                if self.find(reference).is_none_or(|model| model.task.name() != role) {
                    let (profile, model) = (name.clone(), reference.to_owned());
                    return Err(ManifestError::Reference { profile, role, model });
                }
            }
        }
        Ok(())
    }
}

impl Model {
    /// What the finished file must be.
    pub const fn expected(&self) -> Expected {
        Expected { sha256: self.sha256, bytes: self.bytes }
    }

    /// Whether it can be used here: a runtime is built for one processor.
    pub fn fits_this_machine(&self) -> bool {
        match &self.task {
            Task::Runtime(runtime) => runtime.fits_this_machine(),
            _ => true,
        }
    }
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestEntry {
    licence: BTreeMap<String, Licence>,
    profile: BTreeMap<String, ProfileEntry>,
    model: BTreeMap<String, ModelEntry>,
}

/// A model as it is written; `licence` is a reference.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ModelEntry {
    file: String,
    sha256: Digest,
    bytes: u64,
    licence: String,
    #[serde(default)]
    sources: Vec<Source>,
    task: Task,
}

impl ManifestEntry {
    fn resolve(self) -> Result<Manifest, ManifestError> {
        let mut models = Vec::with_capacity(self.model.len());
        for (name, entry) in self.model {
            let ModelEntry { file, sha256, bytes, licence, sources, task } = entry;
            let Some(licence) = self.licence.get(&licence).cloned() else {
                let fault = format!("names the licence `{licence}`, which is not listed");
                return Err(ManifestError::Model { model: name, fault });
            };
            if let Some(fault) = task.fault() {
                return Err(ManifestError::Model { model: name, fault: fault.to_owned() });
            }
            models.push(Model { name, file, sha256, bytes, licence, sources, task });
        }
        Ok(Manifest { models, profiles: self.profile })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(from: &str, to: &str) -> Result<Manifest, ManifestError> {
        assert!(BUILT_IN.contains(from), "the manifest has no `{from}`");
        Manifest::parse(&BUILT_IN.replacen(from, to, 1))
    }

    #[test]
    fn every_profile_of_the_built_in_manifest_resolves() {
        let manifest = Manifest::built_in();
        assert!(manifest.profiles.contains_key("default"));
        for name in manifest.profiles.keys() {
            let profile = manifest.profile(name).expect("it resolves");
            assert!(profile.models().count() >= 7, "{name}");
        }
    }

    #[test]
    fn an_empty_path_means_the_built_in_manifest() {
        let manifest = Manifest::load(Path::new("")).expect("it is embedded");
        assert_eq!(manifest.models().len(), Manifest::built_in().models().len());
    }

    #[test]
    fn the_default_detector_is_fed_as_it_was_measured() {
        let profile = Manifest::built_in().profile("default").expect("it is there");
        let scaling = profile.detector.work.scaling();
        assert!(
            (scaling.mean - 127.5).abs() < f32::EPSILON && (scaling.divisor - 128.0).abs() < f32::EPSILON
        );
        let judge = &profile.liveness[0].judge.work;
        assert_eq!(judge.scales, [2.7, 1.1]);
        assert!((judge.box_height - 0.85).abs() < f32::EPSILON, "the profile's, and not the model's own");
    }

    #[test]
    fn a_fusion_without_spread_is_refused() {
        let error = edited("deviation = 5.80", "deviation = 0.0").expect_err("it divides by it");
        assert!(
            error.to_string().contains("profile `default` gives its liveness models a deviation"),
            "{error}"
        );
        let error = edited("box_height = 0.85", "box_height = nan").expect_err("nothing is left of it");
        assert!(error.to_string().contains("box height that is not more than 0"), "{error}");
        let error = edited("steepness = 4.02", "steepness = -1.0").expect_err("it turns the scale around");
        assert!(error.to_string().contains("steepness that is not more than 0"), "{error}");
    }

    #[test]
    fn a_scale_without_a_slope_is_refused() {
        for (from, to) in [
            ("slope = 0.34", "slope = 0.0"),
            ("shift = -1.2", "shift = nan"),
            ("mouth_scale = 1.7", "mouth_scale = -1.0"),
        ] {
            let error = edited(from, to).expect_err("nothing can be told apart");
            assert!(error.to_string().contains("scale"), "{error}");
        }
    }

    #[test]
    fn a_model_without_a_standard_is_measured_from_its_own_threshold() {
        let bare = edited(", standard = { mean = -2.62, deviation = 5.80 }", "").expect("it needs none");
        let standard = bare.profile("default").expect("it is there").liveness[0].standard;
        assert!(standard.mean.abs() < 1e-9 && (standard.deviation - 1.0).abs() < 1e-9, "{standard:?}");
    }

    #[test]
    fn a_role_played_by_a_model_with_another_task_is_refused() {
        let error = edited("detect = \"scrfd_500m_bnkps\"", "detect = \"w600k_mbf\"").expect_err("it embeds");
        assert!(matches!(error, ManifestError::Reference { role: "detect", .. }), "{error}");
    }

    #[test]
    fn a_profile_that_names_an_unknown_model_is_refused() {
        let error = edited("speech = \"whisper-base-q8_0\"", "speech = \"whisper\"").expect_err("unknown");
        assert!(error.to_string().contains("`whisper` for speech"), "{error}");
    }

    #[test]
    fn a_hash_that_is_no_hash_is_refused() {
        assert!(edited("sha256 = \"a3562ef6", "sha256 = \"a3562ef").is_err());
    }

    #[test]
    fn a_file_outside_the_folder_is_refused() {
        let error = edited("file = \"scrfd_500m_bnkps.onnx\"", "file = \"../up.onnx\"").expect_err("outside");
        assert!(error.to_string().contains("no plain file name"), "{error}");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        assert!(edited("crop_scale = 1.5", "cropscale = 1.5").is_err());
    }

    #[test]
    fn an_unknown_profile_is_answered_with_those_that_exist() {
        let error = Manifest::built_in().profile("fast").expect_err("there is none");
        assert!(error.to_string().contains("there are: commercial, default"), "{error}");
    }
}
