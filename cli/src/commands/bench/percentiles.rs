//! Times, sorted.

use std::time::Duration;

/// Sorts and takes the middle; zero of nothing.
pub(crate) fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    percentile(times, 0.5)
}

/// Of sorted times; `fraction` 0..=1.
pub(crate) fn percentile(sorted: &[Duration], fraction: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * fraction).round() as usize).copied().unwrap_or_default()
}
