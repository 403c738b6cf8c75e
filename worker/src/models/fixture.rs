//! Small models for the tests of this room.

use super::{Digest, Manifest, Model};

/// A model of these bytes; `sources` is TOML such as `{ url = "…" }`.
pub(crate) fn model(name: &str, bytes: &[u8], sources: &str) -> Model {
    let text = format!(
        "[profile]\n[licence.mit]\nname = 'MIT'\ncommercial = true\nconsequence = 'free'\n[model.{name}]\n\
         file = '{name}.bin'\nsha256 = '{}'\nbytes = {}\nlicence = 'mit'\nsources = [{sources}]\n\
         task = {{ voice_activity = {{ family = 'silero' }} }}\n",
        Digest::of(bytes),
        bytes.len(),
    );
    Manifest::parse(&text).expect("the fixture is valid").models()[0].clone()
}
