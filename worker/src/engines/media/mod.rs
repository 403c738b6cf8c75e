//! Media: images, and videos as streams of frames and sound.
//!
//! Files come from strangers. What a file is was decided from its bytes; only the containers and codecs on the lists
//! in [`source`] are opened, a file can't name another file or a network address, and every loop is bounded by
//! [`MediaLimits`]. The one thing that can't be bounded from inside is a native decoder that crashes or never returns
//! from a call; [`VideoReader`] gives up waiting for the latter.

mod audio;
mod colour;
mod error;
mod image;
mod limits;
mod scale;
mod source;
mod upright;
mod video;

pub use audio::{AUDIO_RATE, decode_audio};
pub use error::MediaError;
pub use image::{DecodedImage, decode_image};
pub use limits::MediaLimits;
pub use video::{Frame, VideoReader};

#[cfg(test)]
mod fixtures;
