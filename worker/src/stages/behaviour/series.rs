//! Numbers at even distances in time.

/// Samples a second of everything that is compared with sound.
pub(super) const RATE: f64 = 50.0;

/// A number over time: `values[i]` holds at `start + i / rate` seconds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Series {
    pub(super) start: f64,
    pub(super) rate: f64,
    pub(super) values: Vec<f64>,
}

impl Series {
    /// From numbers at uneven times, which are in order, by straight lines between them.
    pub(super) fn sampled(seconds: &[f64], values: &[f64], rate: f64) -> Self {
        let start = seconds.first().copied().unwrap_or_default();
        let length = seconds.last().copied().unwrap_or_default() - start;
        let at = |index: usize| {
            let when = start + index as f64 / rate;
            let after = seconds.partition_point(|second| *second < when).clamp(1, seconds.len() - 1);
            let (from, to) = (seconds[after - 1], seconds[after]);
            let share = if to > from { ((when - from) / (to - from)).clamp(0.0, 1.0) } else { 0.0 };
            values[after - 1] + (values[after] - values[after - 1]) * share
        };
        let count = if seconds.len() < 2 { 0 } else { (length * rate).ceil() as usize };
        Self { start, rate, values: (0..count).map(at).collect() }
    }

    /// Averaged over a raised cosine of that many `seconds`.
    pub(super) fn smooth(&self, seconds: f64) -> Self {
        let taps = ((seconds * self.rate).round() as usize).max(1);
        let weights: Vec<f64> = (1..=taps)
            .map(|tap| 0.5 - 0.5 * (std::f64::consts::TAU * tap as f64 / (taps + 1) as f64).cos())
            .collect();
        let total: f64 = weights.iter().sum();
        let last = self.values.len().saturating_sub(1);
        let at = |index: usize| {
            let sum: f64 = weights
                .iter()
                .enumerate()
                .map(|(tap, weight)| weight * self.values[(index + tap).saturating_sub(taps / 2).min(last)])
                .sum();
            sum / total
        };
        self.with((0..self.values.len()).map(at).collect())
    }

    /// How fast it changes, up or down, a second.
    pub(super) fn speed(&self) -> Self {
        let last = self.values.len().saturating_sub(1);
        let at = |index: usize| {
            let (from, to) = (index.saturating_sub(1), (index + 1).min(last));
            (self.values[to] - self.values[from]).abs() * self.rate / (to - from).max(1) as f64
        };
        self.with((0..self.values.len()).map(at).collect())
    }

    pub(super) fn map(&self, change: impl Fn(f64) -> f64) -> Self {
        self.with(self.values.iter().copied().map(change).collect())
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.with(self.values.iter().zip(&other.values).map(|(one, other)| one - other).collect())
    }

    /// From the 5th to the 95th percentile.
    pub(super) fn range(&self) -> f64 {
        let mut sorted = self.values.clone();
        sorted.sort_by(f64::total_cmp);
        let at = |share: f64| sorted.get(((sorted.len() - 1) as f64 * share).round() as usize).copied();
        if sorted.is_empty() { 0.0 } else { at(0.95).unwrap_or_default() - at(0.05).unwrap_or_default() }
    }

    fn with(&self, values: Vec<f64>) -> Self {
        Self { values, ..*self }
    }
}

/// Moved and scaled to mean 0 and deviation 1; a constant becomes 0.
pub(super) fn standardised(values: &[f64]) -> Vec<f64> {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    values.iter().map(|value| (value - mean) / (deviation + 1e-6)).collect()
}

/// Pearson's correlation of as many values as both have, -1..=1.
pub(super) fn correlation(one: &[f64], other: &[f64]) -> f64 {
    let count = one.len().min(other.len());
    let (one, other) = (standardised(&one[..count]), standardised(&other[..count]));
    one.iter().zip(&other).map(|(one, other)| one * other).sum::<f64>() / count.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(values: &[f64]) -> Series {
        Series { start: 0.0, rate: 10.0, values: values.to_vec() }
    }

    #[test]
    fn between_two_times_a_number_changes_evenly() {
        let sampled = Series::sampled(&[1.0, 1.2, 1.6], &[0.0, 2.0, 2.0], 10.0);
        assert!((sampled.start - 1.0).abs() < 1e-9);
        for (value, expected) in sampled.values.iter().zip([0.0, 1.0, 2.0, 2.0, 2.0, 2.0]) {
            assert!((value - expected).abs() < 1e-9, "{sampled:?}");
        }
    }

    #[test]
    fn a_single_number_is_no_series() {
        assert!(Series::sampled(&[1.0], &[1.0], 50.0).values.is_empty());
        assert!(Series::sampled(&[], &[], 50.0).values.is_empty());
    }

    #[test]
    fn smoothing_keeps_a_constant_and_lowers_a_spike() {
        assert!(series(&[3.0; 9]).smooth(0.5).values.iter().all(|value| (value - 3.0).abs() < 1e-9));
        let mut spike = [0.0; 9];
        spike[4] = 1.0;
        let smooth = series(&spike).smooth(0.5).values;
        assert!(smooth[4] < 0.5 && smooth[3] > 0.1 && smooth[0].abs() < 1e-9, "{smooth:?}");
    }

    #[test]
    fn the_range_leaves_outliers_out() {
        let mut values: Vec<f64> = (0..100).map(|index| f64::from(index % 2)).collect();
        values[50] = 1000.0;
        assert!((series(&values).range() - 1.0).abs() < 1e-9);
    }

    #[test]
    fn correlation_knows_shape_from_scale() {
        let wave: Vec<f64> = (0..50).map(|index| (f64::from(index) * 0.4).sin()).collect();
        let louder: Vec<f64> = wave.iter().map(|value| value * 7.0 + 2.0).collect();
        let against: Vec<f64> = wave.iter().map(|value| -value).collect();
        assert!((correlation(&wave, &louder) - 1.0).abs() < 1e-3);
        assert!((correlation(&wave, &against) + 1.0).abs() < 1e-3);
        assert!(correlation(&wave, &[1.0; 50]).abs() < 1e-9, "a constant goes with nothing");
    }
}
