//! The axes of a plot: where they start and end, where a share lies on them, and their ticks.

use super::number::round_percent;

/// A step at one error is not to lie on the axis: that begins a little before it.
const BEFORE_ONE: f64 = 0.7;
/// An axis has at least this many times its start, so that a single point has room.
const SPAN_LEAST: f64 = 10.0;
/// Within so many times the start, a tick at each power of ten alone would be few.
const SPAN_FINE: f64 = 200.0;
/// Beyond so many times the start, the labels of all powers of ten would run into each other.
const SPAN_WIDE: f64 = 1e6;
/// Parts of a linear axis.
const PARTS: u8 = 5;

/// What is laid along an axis.
#[derive(Clone, Copy)]
pub(super) enum Shares {
    /// Error rates of so many trials: by their logarithm, from one error on. None lies nowhere on it.
    Errors(u64),
    /// What is right, up to all of it.
    Rights,
}

/// With its ends.
#[derive(Clone, Copy)]
pub(super) enum Axis {
    Logarithmic { least: f64, most: f64 },
    Linear { least: f64 },
}

impl Shares {
    pub(super) fn has(self, share: f64) -> bool {
        matches!(self, Self::Rights) || share > 0.0
    }

    /// Wide enough for all of them.
    pub(super) fn axis(self, shown: impl Iterator<Item = f64>) -> Axis {
        match self {
            Self::Errors(of) => {
                let least = BEFORE_ONE * (1.0 / of.max(1) as f64).min(1.0 / SPAN_LEAST);
                let most = shown.fold(0.0, f64::max);
                let most = if most > 0.0 { round_up(most).max(least * SPAN_LEAST).min(1.0) } else { 1.0 };
                Axis::Logarithmic { least, most }
            }
            Self::Rights => {
                Axis::Linear { least: 1.0 - round_up(shown.fold(0.0, |most, share| most.max(1.0 - share))) }
            }
        }
    }
}

impl Axis {
    /// 0..=1 along it; what is beyond its ends lies on them.
    pub(super) fn place(self, share: f64) -> f64 {
        let place = match self {
            Self::Logarithmic { least, most } => (share.max(least) / least).ln() / (most / least).ln(),
            Self::Linear { least } => (share - least) / (1.0 - least),
        };
        place.clamp(0.0, 1.0)
    }

    pub(super) fn ticks(self) -> Vec<(f64, String)> {
        let shares: Vec<f64> = match self {
            Self::Linear { least } => {
                (0..=PARTS).map(|part| least + (1.0 - least) * f64::from(part) / f64::from(PARTS)).collect()
            }
            Self::Logarithmic { least, most } => {
                let factors: &[f64] = if most / least < SPAN_FINE { &[1.0, 2.0, 5.0] } else { &[1.0] };
                let apart = if most / least > SPAN_WIDE { 2 } else { 1 };
                let powers = (least.log10().floor() as i32..=0).filter(|power| power % apart == 0);
                let powers = powers.map(|power| 10_f64.powi(power));
                let shares = powers.flat_map(|power| factors.iter().map(move |factor| factor * power));
                shares.filter(|share| (least * 0.999..=most * 1.001).contains(share)).collect()
            }
        };
        shares.into_iter().map(|share| (share, round_percent(share))).collect()
    }
}

/// The next of 1, 2, 5, 10, 20, … per thousand and so on, at most 1.
fn round_up(share: f64) -> f64 {
    if share <= 0.0 {
        return 0.01;
    }
    let power = 10_f64.powi(share.log10().floor() as i32);
    let rounded =
        [1.0, 2.0, 5.0].map(|factor| factor * power).into_iter().find(|round| *round >= share * 0.999);
    rounded.unwrap_or(10.0 * power).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: Axis) -> Vec<String> {
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn errors_start_at_one_and_end_where_the_curve_does() {
        let axis = Shares::Errors(2_387).axis([0.004, 0.6].into_iter());
        assert_eq!(labels(axis), ["0.1 %", "1 %", "10 %", "100 %"]);
        assert!(axis.place(0.7 / 2_387.0) < 1e-9 && (axis.place(1.0) - 1.0).abs() < 1e-9);
        assert!((axis.place(0.1) - axis.place(0.01) - (axis.place(0.01) - axis.place(0.001))).abs() < 1e-9);
        let wide = Shares::Errors(7_255_541).axis([0.9].into_iter());
        assert_eq!(labels(wide), ["0.0001 %", "0.01 %", "1 %", "100 %"]);
        let narrow = Shares::Errors(52).axis([0.15].into_iter());
        assert_eq!(labels(narrow), ["2 %", "5 %", "10 %", "20 %"]);
    }

    #[test]
    fn what_is_right_is_shown_from_near_the_least_of_it() {
        let axis = Shares::Rights.axis([0.93, 0.99].into_iter());
        assert_eq!(labels(axis), ["90 %", "92 %", "94 %", "96 %", "98 %", "100 %"]);
        assert!((axis.place(0.95) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_handful_of_trials_still_has_an_axis() {
        assert_eq!(labels(Shares::Errors(1).axis([].into_iter())), ["10 %", "20 %", "50 %", "100 %"]);
    }
}
