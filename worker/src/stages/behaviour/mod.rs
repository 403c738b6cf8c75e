//! What a face does during a clip, and whether it does what the sound says: what no single picture can tell.
//!
//! - [`gesture`]: the openings of mouth and eyes in one frame; [`series`]: such numbers over time.
//! - [`sound`]: the loudness of the clip's sound over time, by frequency.
//! - [`lips`]: whether mouth and sound move together; [`repetition`]: whether the clip repeats itself; [`blinks`].

use countersign_shared::domain::{BehaviourEvidence, FaceGesture};

mod blinks;
pub mod gesture;
mod lips;
mod repetition;
mod series;
pub mod sound;

use gesture::Gesture;
use series::Series;
use sound::Sound;

/// Shorter than this, in seconds, nothing is said of a clip.
const SECONDS_MIN: f64 = 1.5;
/// Over this many seconds the landmark model's jitter is averaged out before a range is taken.
const JITTER: f64 = 0.12;

/// Judges a clip by its face's `gestures`, in order of time, and its `sound`; `None` stands for a clip without a voice.
pub fn judge(gestures: &[Gesture], sound: Option<&Sound>) -> BehaviourEvidence {
    let track = Track::of(gestures);
    let shown = |track: &Track| -> Vec<FaceGesture> {
        let openings = track.mouth.iter().zip(&track.eyes);
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        gestures
            .iter()
            .zip(openings)
            .map(|(gesture, (mouth, eyes))| FaceGesture {
                seconds: round(gesture.seconds),
                mouth_opening: round(*mouth),
                eye_opening: round(*eyes),
            })
            .collect()
    };
    let gestures = track.as_ref().map(shown).unwrap_or_default();
    let track = track.filter(|track| track.length() >= SECONDS_MIN);
    BehaviourEvidence {
        mouth_movement: track.as_ref().map(|track| track.series(&track.mouth).smooth(JITTER).range()),
        lip_agreement: track.as_ref().zip(sound).and_then(|(track, sound)| lips::agreement(track, sound)),
        repetition: track.as_ref().and_then(repetition::least_difference),
        blinks: track.as_ref().map(|track| blinks::count(&track.seconds, &track.eyes)),
        gestures,
    }
}

/// A face's gestures over time, in multiples of the distance between its eyes.
struct Track {
    seconds: Vec<f64>,
    mouth: Vec<f64>,
    lips: Vec<f64>,
    eyes: Vec<f64>,
    right: Vec<f64>,
    down: Vec<f64>,
    size: Vec<f64>,
}

impl Track {
    fn of(gestures: &[Gesture]) -> Option<Self> {
        let mut distances: Vec<f64> = gestures.iter().map(|gesture| gesture.eye_distance).collect();
        distances.sort_by(f64::total_cmp);
        // The clip's own, as a turned head's eyes look nearer each other.
        let unit = distances.get(distances.len() / 2).copied().filter(|unit| *unit > 0.0)?;
        let all = |of: fn(&Gesture) -> f64| gestures.iter().map(|gesture| of(gesture) / unit).collect();
        Some(Self {
            seconds: gestures.iter().map(|gesture| gesture.seconds).collect(),
            mouth: all(|gesture| gesture.mouth),
            lips: all(|gesture| gesture.lips),
            eyes: gestures.iter().map(|gesture| gesture.eye_opening).collect(),
            right: all(|gesture| gesture.centre.x),
            down: all(|gesture| gesture.centre.y),
            size: all(|gesture| gesture.eye_distance),
        })
    }

    fn length(&self) -> f64 {
        self.seconds.first().zip(self.seconds.last()).map_or(0.0, |(first, last)| last - first)
    }

    fn series(&self, values: &[f64]) -> Series {
        Series::sampled(&self.seconds, values, series::RATE)
    }
}

#[cfg(test)]
mod tests;
