//! The sound of a video as a speech recogniser wants it: 16 kHz, mono, on the clip's time line.

use std::path::Path;

use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::software::resampling;
use ffmpeg_next::util::frame::audio::Audio;
use ffmpeg_next::{ChannelLayout, codec, media};

use super::source::{ErrorBudget, Source, Watch};
use super::{MediaError, MediaLimits};

/// Samples a second of what [`decode_audio`] gives.
pub const AUDIO_RATE: u32 = 16_000;

/// A difference between the clock and the samples that is more than jitter, in seconds.
const GAP_SECONDS: f64 = 0.05;
const RATES: std::ops::RangeInclusive<u32> = 1_000..=768_000;
const CHANNELS_MAX: u16 = 32;
/// What a resampler may hold back, in samples.
const RESAMPLER_SLACK: usize = 4_096;

/// The file's sound, each sample in -1..=1. Silence stands where the sound starts late or pauses, so that sample
/// `n` is heard at `n / 16000` seconds, when the frame of that time is seen.
///
/// Errors: [`MediaError::WithoutAudio`] when there is no stream or no sample of sound that can be decoded.
pub fn decode_audio(path: &Path, limits: &MediaLimits) -> Result<Vec<f32>, MediaError> {
    let watch = Watch::new(limits.decode_time);
    let mut source = Source::open(path, limits, watch)?;
    let track = source.best(media::Type::Audio).ok_or(MediaError::WithoutAudio)?;
    let index = track.index;
    let mut sound = Sound {
        samples: Vec::new(),
        most: (limits.video_duration.as_secs_f64() * f64::from(AUDIO_RATE)) as usize + AUDIO_RATE as usize,
        time_base: f64::from(track.time_base),
        start: source.start_seconds(),
        resampler: None,
        heard: false,
    };
    let mut decoder = track.decoder(limits.video_pixels, 1).map_err(|_| MediaError::WithoutAudio)?;
    let mut errors = ErrorBudget::default();
    while let Some(packet) = source.next_packet(index)? {
        let sent = decoder.send_packet(&packet);
        let received = sound.drain(&mut decoder, source.watch())?;
        match sent {
            _ if received > 0 => errors.forgive(),
            Ok(()) => {}
            Err(_) if errors.spend() => {}
            Err(_) => break,
        }
    }
    // Refused only by a decoder that has ended already.
    let _ = decoder.send_eof();
    sound.drain(&mut decoder, source.watch())?;
    sound.finish()
}

struct Sound {
    samples: Vec<f32>,
    most: usize,
    time_base: f64,
    /// Seconds of the stream's clock at which the clip begins.
    start: f64,
    resampler: Option<Resampler>,
    heard: bool,
}

struct Resampler {
    context: resampling::Context,
    format: Sample,
    channels: u16,
    rate: u32,
}

impl Sound {
    fn drain(&mut self, decoder: &mut codec::decoder::Opened, watch: &Watch) -> Result<u32, MediaError> {
        let mut frame = Audio::empty();
        let mut count = 0;
        while decoder.receive_frame(&mut frame).is_ok() {
            if let Some(reason) = watch.reason() {
                return Err(reason);
            }
            self.accept(&mut frame)?;
            count += 1;
        }
        Ok(count)
    }

    fn accept(&mut self, frame: &mut Audio) -> Result<(), MediaError> {
        let (format, channels, rate) = (frame.format(), frame.channels(), frame.rate());
        if frame.samples() == 0 || !RATES.contains(&rate) || !(1..=CHANNELS_MAX).contains(&channels) {
            return Ok(());
        }
        // Some containers don't say which channel is which.
        if frame.channel_layout().channels() != i32::from(channels) {
            frame.set_channel_layout(ChannelLayout::default(i32::from(channels)));
        }
        if self
            .resampler
            .as_ref()
            .is_none_or(|now| (now.format, now.channels, now.rate) != (format, channels, rate))
        {
            self.flush();
            let Ok(context) = resampling::Context::get(
                format,
                frame.channel_layout(),
                rate,
                Sample::F32(Type::Packed),
                ChannelLayout::MONO,
                AUDIO_RATE,
            ) else {
                self.resampler = None;
                return Ok(());
            };
            self.resampler = Some(Resampler { context, format, channels, rate });
        }
        self.fill_gap(frame);
        let Some(resampler) = &mut self.resampler else { return Ok(()) };
        let room = (frame.samples() as u64 * u64::from(AUDIO_RATE)).div_ceil(u64::from(rate)) as usize;
        let mut output = Audio::new(Sample::F32(Type::Packed), room + RESAMPLER_SLACK, ChannelLayout::MONO);
        if resampler.context.run(frame, &mut output).is_ok() {
            self.append(&output);
        }
        if self.samples.len() > self.most { Err(MediaError::TooLong) } else { Ok(()) }
    }

    /// Silence up to the frame's own time, if that lies ahead by more than jitter and within the clip's bounds.
    fn fill_gap(&mut self, frame: &Audio) {
        let Some(ticks) = frame.timestamp() else { return };
        let seconds = ticks as f64 * self.time_base - self.start;
        let now = self.samples.len() as f64 / f64::from(AUDIO_RATE);
        if !(seconds - now > GAP_SECONDS && seconds * f64::from(AUDIO_RATE) < self.most as f64) {
            return;
        }
        // What the resampler still holds belongs before the gap.
        self.flush();
        let position = (seconds * f64::from(AUDIO_RATE)).round() as usize;
        self.samples.resize(position.max(self.samples.len()), 0.0);
    }

    /// Fetches what the resampler still holds.
    fn flush(&mut self) {
        let Some(resampler) = &mut self.resampler else { return };
        let mut output = Audio::new(Sample::F32(Type::Packed), RESAMPLER_SLACK, ChannelLayout::MONO);
        if resampler.context.flush(&mut output).is_ok() {
            self.append(&output);
        }
    }

    fn append(&mut self, output: &Audio) {
        if output.samples() == 0 {
            return;
        }
        self.heard = true;
        // A float stream can hold anything.
        let clean = |sample: &f32| if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        self.samples.extend(output.plane::<f32>(0).iter().map(clean));
    }

    fn finish(mut self) -> Result<Vec<f32>, MediaError> {
        self.flush();
        if self.heard { Ok(self.samples) } else { Err(MediaError::WithoutAudio) }
    }
}

#[cfg(test)]
mod tests;
