//! The decoder's side of a video: packets in, frames out, until the end or a limit.

use std::path::Path;
use std::sync::Arc;

use countersign_shared::domain::VideoInfo;
use crossbeam_channel::{Receiver, Sender};
use ffmpeg_next::util::frame::side_data;
use ffmpeg_next::util::frame::video::Video;
use ffmpeg_next::{codec, media};

use super::{Frame, Message};
use crate::engines::media::scale::Scaler;
use crate::engines::media::source::{ErrorBudget, Source, Watch};
use crate::engines::media::upright::Upright;
use crate::engines::media::{MediaError, MediaLimits};

/// Two frames at a time: enough for full HD on one viewer's clock, and no more than a job's share of a machine.
const FRAME_SECONDS_MIN: f64 = 1.0 / 240.0;
const DECODER_THREADS: usize = 2;
/// Shown for this long when nothing says how long a frame lasts.
const USUAL_RATE: f64 = 30.0;

/// Where the frames of one file go.
struct Output<'a> {
    limits: &'a MediaLimits,
    watch: &'a Watch,
    sender: &'a Sender<Message>,
    spares: &'a Receiver<Vec<u8>>,
    scaler: Scaler,
    upright: Option<Upright>,
    time_base: f64,
    /// Seconds of the stream's clock at which the clip begins.
    start: f64,
    /// Declared frames per second.
    rate: f64,
    frames: u32,
    first_seconds: f64,
    last_seconds: f64,
    size: (u32, u32),
}

pub(super) fn decode(
    path: &Path,
    limits: &MediaLimits,
    watch: &Arc<Watch>,
    sender: &Sender<Message>,
    spares: &Receiver<Vec<u8>>,
) -> Result<VideoInfo, MediaError> {
    let mut source = Source::open(path, limits, Arc::clone(watch))?;
    let track = source.best(media::Type::Video).ok_or(MediaError::Unsupported("the file has no video"))?;
    let index = track.index;
    let mut output = Output {
        limits,
        watch,
        sender,
        spares,
        scaler: Scaler::new(limits.video_side),
        upright: (track.upright != Upright::AS_STORED).then_some(track.upright),
        time_base: f64::from(track.time_base),
        start: source.start_seconds(),
        rate: if track.rate > 0.0 { track.rate } else { USUAL_RATE },
        frames: 0,
        first_seconds: 0.0,
        last_seconds: 0.0,
        size: (0, 0),
    };
    let mut decoder = track.decoder(limits.video_pixels, DECODER_THREADS)?;
    let mut errors = ErrorBudget::default();
    while let Some(packet) = source.next_packet(index)? {
        let sent = decoder.send_packet(&packet);
        let received = output.drain(&mut decoder)?;
        match sent {
            _ if received > 0 => errors.forgive(),
            Ok(()) => {}
            Err(_) if errors.spend() => {}
            Err(_) => break,
        }
    }
    // Refused only by a decoder that has ended already.
    let _ = decoder.send_eof();
    output.drain(&mut decoder)?;
    output.finish()
}

impl Output<'_> {
    /// Sends on what the decoder has ready; how many frames that was.
    fn drain(&mut self, decoder: &mut codec::decoder::Opened) -> Result<u32, MediaError> {
        let mut frame = Video::empty();
        let mut count = 0;
        // An error means "no frame now" or a damaged one: in both cases the next packet decides.
        while decoder.receive_frame(&mut frame).is_ok() {
            self.accept(&frame)?;
            count += 1;
        }
        Ok(count)
    }

    fn accept(&mut self, frame: &Video) -> Result<(), MediaError> {
        if let Some(reason) = self.watch.reason() {
            return Err(reason);
        }
        let pixels = u64::from(frame.width()) * u64::from(frame.height());
        if pixels > self.limits.video_pixels {
            return Err(MediaError::TooManyPixels { pixels, limit: self.limits.video_pixels });
        }
        let seconds = self.seconds_of(frame);
        if self.frames >= self.limits.video_frames || seconds > self.limits.video_duration.as_secs_f64() {
            return Err(MediaError::TooLong);
        }
        let upright = self.upright.unwrap_or_else(|| own_upright(frame));
        let buffer = self.spares.try_recv().unwrap_or_default();
        let picture = self.scaler.picture(frame, upright, buffer)?;
        if self.frames == 0 {
            self.first_seconds = seconds;
            self.size = upright.size(frame.width(), frame.height());
        }
        let message = Message::Frame(Frame { index: self.frames, seconds, picture });
        self.last_seconds = seconds;
        self.frames += 1;
        self.watch
            .idle(|| self.sender.send(message))
            .map_err(|_| MediaError::Failed("nobody wants the frames any more".to_owned()))
    }

    /// On the clip's time line, never backwards; by the declared rate where a frame has no time.
    fn seconds_of(&self, frame: &Video) -> f64 {
        let expected = if self.frames == 0 { 0.0 } else { self.last_seconds + 1.0 / self.rate };
        frame
            .timestamp()
            .map(|ticks| ticks as f64 * self.time_base - self.start)
            .filter(|seconds| seconds.is_finite())
            .map_or(expected, |seconds| seconds.max(self.earliest()))
    }

    /// Frames can't stand still in time: whoever looks at frames by the clock would not look at them.
    fn earliest(&self) -> f64 {
        if self.frames == 0 { self.last_seconds } else { self.last_seconds + FRAME_SECONDS_MIN }
    }

    fn finish(self) -> Result<VideoInfo, MediaError> {
        if self.frames == 0 {
            return Err(MediaError::Unreadable("no frame of the video can be decoded"));
        }
        let span = self.last_seconds - self.first_seconds;
        let rate = if self.frames > 1 && span > 0.0 { f64::from(self.frames - 1) / span } else { self.rate };
        Ok(VideoInfo {
            fps: rate.round() as u32,
            frames: self.frames,
            width: self.size.0,
            height: self.size.1,
            duration_seconds: span + 1.0 / rate,
        })
    }
}

/// How a frame says itself that it lies; some streams do where their container does not.
fn own_upright(frame: &Video) -> Upright {
    frame
        .side_data(side_data::Type::DisplayMatrix)
        .and_then(|data| Upright::from_display_matrix(data.data()))
        .unwrap_or(Upright::AS_STORED)
}
