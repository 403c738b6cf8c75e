//! The stages: one step of looking or listening each. They know the engines' traits, and no HTTP, SQL or AMQP.
//!
//! - [`feed`]: a region of a picture, resampled and scaled into a model's input.
//! - [`detect`]: faces in one pass over a region; [`search`]: faces in a still, however large, small or turned.
//! - [`turn`]: pictures turned by quarters, and faces turned back.
//! - [`count`]: which of the faces count, and which one is meant.
//! - [`align`], [`embed`]: a face as a vector, and distances between vectors.
//! - [`liveness`]: bona fide or presentation attack; [`landmarks`]: the 106 points.
//! - [`quality`]: how usable a face is; [`pose`]: where it looks.
//! - [`track`]: a face followed from frame to frame, and when the detector must look again.
//! - [`behaviour`]: what a face does during a clip, and whether it does what the sound says.
//! - [`speech`]: whether the expected code was spoken.

pub mod align;
pub mod behaviour;
pub mod count;
pub mod detect;
pub mod embed;
pub mod feed;
pub mod landmarks;
pub mod liveness;
mod mouth;
pub mod pose;
pub mod quality;
mod retinaface;
mod scrfd;
pub mod search;
pub mod speech;
pub mod track;
pub mod turn;
mod warp;
