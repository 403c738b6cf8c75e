//! How often something went wrong, and how sure that is.

use serde::Serialize;

/// The 97.5th percentile of the standard normal distribution: intervals of 95 %.
const Z: f64 = 1.959_963_984_540_054;

/// A share of errors with its 95 % interval after Wilson (1927), which is honest about small numbers and none: no error
/// in 100 is no proof of none. It takes the tries as independent; comparisons that share a person are not quite.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(in super::super) struct Rate {
    pub(in super::super) errors: u64,
    pub(in super::super) of: u64,
    /// 0..=1; 0 of nothing.
    pub(in super::super) share: f64,
    pub(in super::super) low: f64,
    pub(in super::super) high: f64,
}

impl Rate {
    pub(in super::super) fn new(errors: usize, of: usize) -> Self {
        if of == 0 {
            return Self { errors: 0, of: 0, share: 0.0, low: 0.0, high: 1.0 };
        }
        let (tries, share) = (of as f64, errors as f64 / of as f64);
        let middle = share + Z * Z / (2.0 * tries);
        let reach = Z * (share * (1.0 - share) / tries + Z * Z / (4.0 * tries * tries)).sqrt();
        let scale = 1.0 + Z * Z / tries;
        Self {
            errors: errors as u64,
            of: of as u64,
            share,
            low: ((middle - reach) / scale).max(0.0),
            high: ((middle + reach) / scale).min(1.0),
        }
    }

    /// The most errors in so many tries with which the rate still holds; more errors must not mend it.
    pub(in super::super) fn most_errors(of: usize, holds: impl Fn(&Self) -> bool) -> Option<usize> {
        let (mut within, mut beyond) = (0, of + 1);
        if !holds(&Self::new(0, of)) {
            return None;
        }
        while beyond - within > 1 {
            let middle = usize::midpoint(within, beyond);
            if holds(&Self::new(middle, of)) { within = middle } else { beyond = middle }
        }
        Some(within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 5e-5, "{value} is not {expected}");
    }

    /// Newcombe (1998), table I: 81 of 263, 15 of 148, 0 of 20.
    #[test]
    fn intervals_are_the_published_ones() {
        for (errors, of, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
        {
            let rate = Rate::new(errors, of);
            is_near(rate.low, low);
            is_near(rate.high, high);
        }
    }

    #[test]
    fn the_most_errors_are_those_before_the_first_too_many() {
        assert_eq!(Rate::most_errors(1000, |rate| rate.share <= 0.01), Some(10));
        assert_eq!(Rate::most_errors(1000, |rate| rate.high <= 0.01), Some(3));
        assert_eq!(Rate::most_errors(100, |rate| rate.high <= 0.01), None);
        assert_eq!(Rate::most_errors(10, |_| true), Some(10));
    }

    #[test]
    fn nothing_says_nothing() {
        let rate = Rate::new(0, 0);
        assert_eq!(
            (rate.share.to_bits(), rate.low.to_bits(), rate.high.to_bits()),
            (0, 0, 1.0_f64.to_bits())
        );
    }
}
