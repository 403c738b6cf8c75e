//! A video as a stream of upright RGB frames: decoded on a thread of its own, a few frames ahead, in recycled memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use countersign_shared::domain::VideoInfo;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::source::Watch;
use super::{MediaError, MediaLimits};
use crate::engines::Picture;

mod decode;

/// Frames that are decoded ahead of the one that is looked at.
const FRAMES_AHEAD: usize = 4;

/// What a decoder that is told to stop may still take; after it, it hangs.
const HANG_GRACE: Duration = Duration::from_secs(5);

/// One frame of a video.
#[derive(Debug)]
pub struct Frame {
    /// Position in the stream, from 0.
    pub index: u32,
    /// On the clip's time line, which the sound shares; never less than the frame's before.
    pub seconds: f64,
    /// Upright, with square pixels, its longest side at most [`MediaLimits::video_side`].
    pub picture: Picture,
}

/// The frames of one file, in order.
pub struct VideoReader {
    messages: Receiver<Message>,
    /// Gives the memory of seen frames back to the decoder.
    spare: Sender<Vec<u8>>,
    watch: Arc<Watch>,
    limits: MediaLimits,
    current: Option<Frame>,
    ended: Option<Result<VideoInfo, MediaError>>,
}

enum Message {
    Frame(Frame),
    Ended(Result<VideoInfo, MediaError>),
}

impl VideoReader {
    /// Starts to decode. What is wrong with the file shows at [`Self::next_frame`].
    pub fn open(path: &Path, limits: &MediaLimits) -> Result<Self, MediaError> {
        let (sender, messages) = bounded(FRAMES_AHEAD);
        let (spare, spares) = bounded(FRAMES_AHEAD + 2);
        let watch = Watch::new(limits.decode_time);
        let (path, limits, watched) = (PathBuf::from(path), *limits, Arc::clone(&watch));
        thread::Builder::new().name("video".to_owned()).spawn(move || {
            let ended = decode::decode(&path, &limits, &watched, &sender, &spares);
            // Nobody listens any more when the reader was dropped.
            let _ = sender.send(Message::Ended(ended));
        })?;
        Ok(Self { messages, spare, watch, limits, current: None, ended: None })
    }

    /// The next frame, valid until the next call; `None` after the last.
    ///
    /// Errors: everything but [`MediaError::WithoutAudio`]. A video of which no frame can be decoded is unreadable.
    pub fn next_frame(&mut self) -> Result<Option<&Frame>, MediaError> {
        if let Some(seen) = self.current.take() {
            // The queue is full only when enough memory circulates.
            let _ = self.spare.try_send(seen.picture.into_rgb());
        }
        if let Some(ended) = &self.ended {
            return ended.clone().map(|_| None);
        }
        // Longer than decoding may take at all: a native call that never returns.
        match self.messages.recv_timeout(self.limits.decode_time + HANG_GRACE) {
            Ok(Message::Frame(frame)) => Ok(Some(self.current.insert(frame))),
            Ok(Message::Ended(ended)) => {
                self.ended = Some(ended.clone());
                ended.map(|_| None)
            }
            Err(RecvTimeoutError::Timeout) => self.fail(MediaError::Unreadable("decoding the video hangs")),
            Err(RecvTimeoutError::Disconnected) => {
                self.fail(MediaError::Failed("the video decoder's thread has died".to_owned()))
            }
        }
    }

    /// What the video is, of its own size and rate; known after the last frame.
    pub fn info(&self) -> Option<VideoInfo> {
        self.ended.as_ref().and_then(|ended| ended.as_ref().ok().copied())
    }

    fn fail(&mut self, error: MediaError) -> Result<Option<&Frame>, MediaError> {
        self.ended = Some(Err(error.clone()));
        Err(error)
    }
}

impl Drop for VideoReader {
    fn drop(&mut self) {
        self.watch.stop();
    }
}

#[cfg(test)]
mod tests;
