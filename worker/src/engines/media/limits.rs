//! How much of a file is decoded at most.

use std::time::Duration;

use countersign_shared::config::Config;

/// Bounds on what one file may cost.
#[derive(Debug, Clone, Copy)]
pub struct MediaLimits {
    /// Decoded pixels of a still image.
    pub image_pixels: u64,
    /// Longest side of the picture that [`decode_image`](super::decode_image) hands on; larger ones are reduced.
    pub image_side: u32,
    /// Decoded pixels of one video frame.
    pub video_pixels: u64,
    /// Longest side of the frames that [`VideoReader`](super::VideoReader) hands on; larger ones are reduced.
    pub video_side: u32,
    pub video_duration: Duration,
    pub video_frames: u32,
    /// Time that decoding one file may take, not counting the time in which nobody fetches its frames.
    pub decode_time: Duration,
}

impl MediaLimits {
    pub fn new(config: &Config) -> Self {
        Self {
            image_pixels: config.limits.image_pixels,
            image_side: 2048,
            video_pixels: config.limits.video_pixels,
            video_side: 960,
            video_duration: config.limits.video_duration,
            video_frames: config.limits.video_frames,
            // The rest of the job needs some of its time too.
            decode_time: config.worker.job_time / 2,
        }
    }
}
