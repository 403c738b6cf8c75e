//! The catalogue of models, where their bytes come from, and how they are verified.
//!
//! - [`manifest`]: `models.toml`, embedded and replaceable; [`profile`]: which model plays each role.
//! - [`task`]: what a model does and how it is fed; [`source`]: where its bytes can be had.
//! - [`licence`]: what a model may be used for; [`digest`]: what its bytes must be.
//! - [`convert`]: weights in another program's form, rewritten; [`odds`]: probabilities as log-odds.
//! - [`files`]: the folder that holds them; [`pull`]: how they come there.

pub mod convert;
pub mod digest;
pub mod files;
pub mod licence;
pub mod manifest;
pub(crate) mod odds;
pub mod profile;
pub mod pull;
pub mod source;
pub mod task;

#[cfg(test)]
mod fixture;

pub use digest::Digest;
pub use files::{ModelFiles, NotReady, State};
pub use licence::{Licence, licence_notices, notices_of};
pub use manifest::{Manifest, ManifestError, Model};
pub use profile::{Cast, LivenessRole, LivenessScale, Profile, Standard};
pub use pull::{Progress, Pull, PullError, Step, Unobtainable};
