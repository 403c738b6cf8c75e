//! The mel filters that Whisper was trained with: Slaney's scale and norm, 16 kHz, windows of 400 samples.

pub(super) const FILTERS: usize = 80;
pub(super) const FREQUENCIES: usize = 201;

const HIGHEST_HERTZ: f64 = 8000.0;
/// Below this the scale is linear, above it logarithmic.
const BREAK_HERTZ: f64 = 1000.0;
const BREAK_MEL: f64 = 15.0;
const HERTZ_PER_MEL: f64 = 200.0 / 3.0;

/// Rows of [`FREQUENCIES`] weights, one row for each of [`FILTERS`].
pub(super) fn filters() -> Vec<f32> {
    let highest = mel_of_hertz(HIGHEST_HERTZ);
    let step = highest / (FILTERS + 1) as f64;
    let mut corners: Vec<f64> = (0..=FILTERS).map(|index| hertz_of_mel(index as f64 * step)).collect();
    corners.push(hertz_of_mel(highest));
    let mut weights = Vec::with_capacity(FILTERS * FREQUENCIES);
    for corner in corners.windows(3) {
        let norm = 2.0 / (corner[2] - corner[0]);
        for index in 0..FREQUENCIES {
            let hertz = index as f64 * HIGHEST_HERTZ / (FREQUENCIES - 1) as f64;
            let rising = (hertz - corner[0]) / (corner[1] - corner[0]);
            let falling = (corner[2] - hertz) / (corner[2] - corner[1]);
            // Rounded to single precision before and after the norm, as the reference does.
            let ramp = rising.min(falling).max(0.0) as f32;
            weights.push((f64::from(ramp) * norm) as f32);
        }
    }
    // The reference has a negative zero here; it only matters to the file's hash.
    weights[0] = -0.0;
    weights
}

fn mel_of_hertz(hertz: f64) -> f64 {
    BREAK_MEL + (hertz / BREAK_HERTZ).ln() / log_step()
}

fn hertz_of_mel(mel: f64) -> f64 {
    if mel < BREAK_MEL { HERTZ_PER_MEL * mel } else { BREAK_HERTZ * (log_step() * (mel - BREAK_MEL)).exp() }
}

fn log_step() -> f64 {
    6.4_f64.ln() / 27.0
}

#[cfg(test)]
mod tests {
    use super::super::super::Digest;
    use super::*;

    #[test]
    fn the_filters_equal_those_of_the_reference_bit_by_bit() {
        let bytes: Vec<u8> = filters().iter().flat_map(|weight| weight.to_le_bytes()).collect();
        assert_eq!(
            Digest::of(&bytes).to_string(),
            "4f2701b1d287d74a0dc9871026e9519d98cb76426615f2539b0d151a0ae4ec2e",
        );
    }
}
