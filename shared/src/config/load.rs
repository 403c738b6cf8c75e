//! Layers: the embedded defaults, a file, the environment.

use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};

use super::Config;

/// The embedded manual.
pub const DEFAULTS: &str = include_str!("default.toml");

const PREFIX: &str = "COUNTERSIGN_";

/// Text as it is, even where it looks like a number: no error may print a password for being one.
const TEXTS: [&str; 4] = ["url", "endpoint", "access_key", "secret_key"];

/// The settings can't be used; every reason is listed.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("failed to read the settings: {0}")]
    Unreadable(#[from] Box<figment::Error>),
    #[error("the settings contradict themselves: {}", .0.join("; "))]
    Inconsistent(Vec<String>),
    #[error("`countersign serve` is the whole service in one process; for several: {}", .0.join("; "))]
    NotDistributed(Vec<String>),
}

impl Config {
    /// Reads the layers and checks them. `environment` is every variable of the process; only those named
    /// `COUNTERSIGN_SECTION__KEY` are looked at.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Toml::string(DEFAULTS));
        if let Some(path) = file {
            figment = figment.merge(Toml::file_exact(path));
        }
        for (name, value) in environment {
            let key = name.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__"));
            if let Some((section, key)) = key {
                let path = format!("{}.{}", section.to_lowercase(), key.to_lowercase());
                let value =
                    if TEXTS.contains(&key.to_lowercase().as_str()) { value.into() } else { typed(&value) };
                figment = figment.merge(Serialized::default(&path, value));
            }
        }
        let config: Self = figment.extract().map_err(Box::new)?;
        config.check()?;
        Ok(config)
    }
}

/// A value as TOML would read it; what is no TOML is text.
fn typed(value: &str) -> figment::value::Value {
    value.parse().unwrap_or_else(|never| match never {})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::load(None, variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn the_defaults_are_complete_and_consistent() {
        let config = load(&[]).expect("the defaults load");
        assert!((config.pipeline.distance_max - 0.9).abs() < f64::EPSILON);
    }

    #[test]
    fn the_environment_overrides_a_default() {
        let config = load(&[
            ("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0"),
            ("COUNTERSIGN_WORKER__PERMITS", "3"),
            ("COUNTERSIGN_WORKER__RETRY_DELAYS", r#"["2s"]"#),
            ("COUNTERSIGN_V1__WAIT", "5s"),
            ("COUNTERSIGN_BLOBS__SECRET_KEY", "0123"),
            ("COUNTERSIGN_LANES__PHOTO_BATCH", "{ max_depth = 7 }"),
            (
                "COUNTERSIGN_WORKER__LANES",
                r#"["photo.interactive:3", "video.interactive", "photo.batch", "video.batch"]"#,
            ),
            ("HOME", "/root"),
        ])
        .expect("the settings load");
        assert_eq!(config.server.listen.port(), 0);
        assert_eq!(config.worker.permits, 3);
        assert_eq!(config.worker.retry_delays.len(), 1);
        assert_eq!((config.lanes.photo_batch.max_depth, config.lanes.video_batch.max_depth), (7, 100_000));
        assert_eq!(config.worker.lanes.iter().map(|share| share.weight).collect::<Vec<_>>(), [3, 1, 1, 1]);
        assert_eq!(config.v1.wait.as_secs(), 5);
        assert_eq!(config.blobs.secret_key.reveal(), "0123");
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let error = load(&[("COUNTERSIGN_SERVER__LISTENN", "127.0.0.1:0")]).expect_err("no such key");
        assert!(error.to_string().contains("listenn"), "{error}");
    }

    #[test]
    fn every_contradiction_is_reported_at_once() {
        let error = load(&[("COUNTERSIGN_WORKER__LEASE", "0s"), ("COUNTERSIGN_QUEUE__WINDOW", "0")])
            .expect_err("two contradictions");
        assert!(error.to_string().contains("worker.lease") && error.to_string().contains("queue.window"));
    }
}
