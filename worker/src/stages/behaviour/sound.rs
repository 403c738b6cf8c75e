//! The loudness of a clip's sound over time in a few frequency bands.

use std::f64::consts::TAU;

use realfft::RealFftPlanner;

use super::series::RATE;

/// Bands, of equal width on the mel scale.
pub(super) const BANDS: usize = 12;
/// Hz.
const LOWEST: f64 = 120.0;
const HIGHEST: f64 = 5500.0;
/// Samples a second of what is listened to.
const SAMPLE_RATE: f64 = 16_000.0;
/// Samples of a spectrum: 32 ms.
const WINDOW: usize = 512;
/// Of the loudest twentieth's energy, what counts as silence.
const SILENCE: f64 = 1e-3;

/// Logarithms of the energy in each band, 50 a second, from the clip's start, relative to the clip's loud parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Sound {
    levels: Vec<[f64; BANDS]>,
}

impl Sound {
    /// `samples` are mono, at 16 kHz, from the clip's start.
    pub fn of(samples: &[f32]) -> Self {
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(WINDOW);
        let (mut input, mut output) = (fft.make_input_vec(), fft.make_output_vec());
        let mut scratch = fft.make_scratch_vec();
        let (filters, window) = (filters(), window());
        let hop = (SAMPLE_RATE / RATE) as usize;
        let mut energies: Vec<[f64; BANDS]> = Vec::with_capacity(samples.len() / hop + 1);
        for middle in (0..samples.len()).step_by(hop) {
            for (index, (slot, weight)) in input.iter_mut().zip(&window).enumerate() {
                let sample = (middle + index).checked_sub(WINDOW / 2).and_then(|at| samples.get(at));
                *slot = sample.copied().unwrap_or_default() * weight;
            }
            // Fails on buffers of other lengths only, and these are its own.
            let _ = fft.process_with_scratch(&mut input, &mut output, &mut scratch);
            let power: Vec<f64> = output.iter().map(|bin| f64::from(bin.norm_sqr())).collect();
            energies.push(std::array::from_fn(|band| {
                filters[band].iter().zip(&power).map(|(weight, power)| weight * power).sum()
            }));
        }
        Self { levels: relative(&energies) }
    }

    /// At a time in seconds; `None` after the end.
    pub(super) fn at(&self, seconds: f64) -> Option<&[f64; BANDS]> {
        self.levels.get((seconds.max(0.0) * RATE).round() as usize)
    }
}

fn relative(energies: &[[f64; BANDS]]) -> Vec<[f64; BANDS]> {
    let mut totals: Vec<f64> = energies.iter().map(|bands| bands.iter().sum()).collect();
    totals.sort_by(f64::total_cmp);
    let loud = totals.get(totals.len() * 19 / 20).copied().unwrap_or_default().max(f64::MIN_POSITIVE);
    let level = |energy: f64| (energy / loud + SILENCE / BANDS as f64).ln();
    energies.iter().map(|bands| bands.map(level)).collect()
}

/// Hann's.
fn window() -> Vec<f32> {
    (0..WINDOW).map(|index| (0.5 - 0.5 * (TAU * index as f64 / (WINDOW - 1) as f64).cos()) as f32).collect()
}

/// A triangle for each band over a spectrum's bins.
fn filters() -> [Vec<f64>; BANDS] {
    let mel = |hertz: f64| 2595.0 * (1.0 + hertz / 700.0).log10();
    let hertz = |mel: f64| 700.0 * (10_f64.powf(mel / 2595.0) - 1.0);
    let step = (mel(HIGHEST) - mel(LOWEST)) / (BANDS + 1) as f64;
    let edge = |index: usize| hertz(mel(LOWEST) + step * index as f64);
    std::array::from_fn(|band| {
        let (low, middle, high) = (edge(band), edge(band + 1), edge(band + 2));
        (0..=WINDOW / 2)
            .map(|bin| bin as f64 * SAMPLE_RATE / WINDOW as f64)
            .map(|at| ((at - low) / (middle - low)).min((high - at) / (high - middle)).max(0.0))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hertz: f64, seconds: f64) -> Vec<f32> {
        let count = (SAMPLE_RATE * seconds) as usize;
        (0..count).map(|index| (TAU * hertz * index as f64 / SAMPLE_RATE).sin() as f32).collect()
    }

    fn loudest(sound: &Sound, seconds: f64) -> usize {
        let levels = sound.at(seconds).expect("there is sound");
        (0..BANDS).max_by(|one, other| levels[*one].total_cmp(&levels[*other])).expect("bands")
    }

    #[test]
    fn a_higher_tone_is_in_a_higher_band() {
        let (low, high) = (Sound::of(&tone(250.0, 1.0)), Sound::of(&tone(3000.0, 1.0)));
        assert!(loudest(&low, 0.5) < 2 && loudest(&high, 0.5) > 7);
    }

    #[test]
    fn loudness_is_relative_to_the_clip() {
        let mut samples = tone(500.0, 1.0);
        samples.extend(vec![0.0; 16_000]);
        let quiet: Vec<f32> = samples.iter().map(|sample| sample * 0.01).collect();
        let (sound, quieter) = (Sound::of(&samples), Sound::of(&quiet));
        for (one, other) in sound.levels.iter().flatten().zip(quieter.levels.iter().flatten()) {
            assert!((one - other).abs() < 1e-3);
        }
        let level = |seconds: f64| sound.at(seconds).expect("sound").iter().sum::<f64>();
        assert!(level(0.5) > level(1.5) + 5.0);
        assert_eq!(sound.at(2.1), None);
    }

    #[test]
    fn no_sound_has_no_levels() {
        assert_eq!(Sound::of(&[]).at(0.0), None);
        assert!(Sound::of(&[0.0; 1600]).levels.iter().flatten().all(|level| level.is_finite()));
    }
}
