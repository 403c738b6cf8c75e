//! The catalogue of models, where their bytes come from, and how they are verified.
//!
//! - [`manifest`]: `models.toml`, embedded and replaceable; [`profile`]: which model plays each role.
//! - [`task`]: what a model does and how it is fed; [`source`]: where its bytes can be had.
//! - [`licence`]: what a model may be used for; [`digest`]: what its bytes must be.
//! - [`files`]: the folder that holds them.

pub mod digest;
pub mod files;
pub mod licence;
pub mod manifest;
pub mod profile;
pub mod source;
pub mod task;

pub use digest::Digest;
pub use files::ModelFiles;
pub use licence::{Licence, licence_notices};
pub use manifest::{Manifest, ManifestError, Model};
pub use profile::{Cast, LivenessRole, Profile};
