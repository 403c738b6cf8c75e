//! Whether a mouth moves as the sound says: a voice over a picture, or over someone else's video, does not make its lips move.
//!
//! Two movements of the mouth are foretold from the sound, each by a weighted sum over its frequency bands, and
//! correlated with what the mouth does: how fast it moves, and how far it is open.

use super::Track;
use super::series::{RATE, Series, correlation, standardised};
use super::sound::{BANDS, Sound};

/// By ridge regression (strength 0.5) on 43 windows of 3.6 s of 14 clips of people who talk, standardised within each.
const SPEED: [f64; BANDS] =
    [0.0322, -0.0263, 0.0102, 0.0733, 0.0586, 0.0729, 0.0307, 0.0539, 0.0586, 0.0412, -0.0244, -0.0007];
const OPENING: [f64; BANDS] =
    [-0.0779, -0.0583, 0.0116, 0.0456, 0.0365, 0.0213, 0.0559, 0.0337, 0.0518, 0.0319, 0.0020, 0.0222];

/// A mouth is ahead of its sound or behind it by so many samples, of [`RATE`]: cameras and microphones differ.
const LAGS: std::ops::RangeInclusive<isize> = -2..=3;
/// Seconds over which a mouth's position, a movement's speed, and a slow change of pose are averaged.
const POSITION: f64 = 0.08;
const MOVEMENT: f64 = 0.2;
const POSE: f64 = 0.8;

/// The mean of both correlations at the best lag, -1..=1; `None` when sound and mouth share too little time.
pub(super) fn agreement(track: &Track, sound: &Sound) -> Option<f64> {
    let mouth = track.series(&track.mouth).smooth(POSITION);
    let speed = mouth.speed().smooth(MOVEMENT).map(f64::sqrt);
    let opening = mouth.minus(&mouth.smooth(POSE));
    let heard = Heard::during(sound, &mouth)?;
    let (speed_heard, opening_heard) = (heard.foretold(&SPEED), heard.foretold(&OPENING));
    LAGS.map(|lag| {
        let correlated = |heard: &[f64], seen: &Series| {
            let (ahead, behind) = (lag.max(0).unsigned_abs(), lag.min(0).unsigned_abs());
            correlation(heard.get(ahead..).unwrap_or_default(), seen.values.get(behind..).unwrap_or_default())
        };
        f64::midpoint(correlated(&speed_heard, &speed), correlated(&opening_heard, &opening))
    })
    .max_by(f64::total_cmp)
}

/// The sound while the mouth was seen, each band standardised.
struct Heard {
    bands: [Vec<f64>; BANDS],
}

impl Heard {
    fn during(sound: &Sound, seen: &Series) -> Option<Self> {
        // Less than a word says nothing.
        const SAMPLES_MIN: usize = RATE as usize;
        let count = seen.values.len();
        let levels: Vec<&[f64; BANDS]> =
            (0..count).map_while(|index| sound.at(seen.start + index as f64 / RATE)).collect();
        (levels.len() >= SAMPLES_MIN).then(|| Self {
            bands: std::array::from_fn(|band| {
                standardised(&levels.iter().map(|levels| levels[band]).collect::<Vec<f64>>())
            }),
        })
    }

    fn foretold(&self, weights: &[f64; BANDS]) -> Vec<f64> {
        (0..self.bands[0].len())
            .map(|index| self.bands.iter().zip(weights).map(|(band, weight)| band[index] * weight).sum())
            .collect()
    }
}
