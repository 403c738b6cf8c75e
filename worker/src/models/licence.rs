//! What a model may be used for, and how an operator is told.

use serde::{Deserialize, Serialize};

use super::{Model, Profile};

/// A model's licence and its plain consequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// An SPDX identifier where there is one.
    pub name: String,
    /// Whether commercial use is allowed.
    pub commercial: bool,
    /// One sentence for the operator, lower case, without a full stop.
    pub consequence: String,
}

/// What `serve` says at start: see [`notices_of`].
pub fn licence_notices(profile: &Profile) -> Vec<String> {
    notices_of(profile.models())
}

/// One line for each licence of the models that forbids commercial use, naming the models.
pub fn notices_of<'a>(models: impl IntoIterator<Item = &'a Model>) -> Vec<String> {
    let mut forbidding: Vec<(&Licence, Vec<&str>)> = Vec::new();
    for model in models {
        if model.licence.commercial {
            continue;
        }
        match forbidding.iter_mut().find(|(licence, _)| **licence == model.licence) {
            Some((_, names)) => names.push(&model.name),
            None => forbidding.push((&model.licence, vec![&model.name])),
        }
    }
    forbidding
        .into_iter()
        .map(|(licence, names)| {
            format!("NO COMMERCIAL USE of {} ({}): {}", names.join(", "), licence.name, licence.consequence)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::Manifest;
    use super::*;

    #[test]
    fn the_default_profile_says_which_models_forbid_commercial_use() {
        let profile = Manifest::built_in().profile("default").expect("it is there");
        let notices = licence_notices(&profile);
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(notices[0].starts_with("NO COMMERCIAL USE of scrfd_500m_bnkps, w600k_mbf, 2d106det ("));
    }

    #[test]
    fn nothing_in_the_commercial_profile_forbids_commercial_use() {
        let profile = Manifest::built_in().profile("commercial").expect("it is there");
        assert_eq!(licence_notices(&profile), Vec::<String>::new());
    }
}
