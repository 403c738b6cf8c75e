//! Numbers as they are read: shares with no more digits than the trials bear out, counts in groups of three.

use super::super::stats::Rate;

/// What heads the columns of [`cells`].
pub(super) const RATE: [&str; 3] = ["share", "95 % interval", "count"];

/// Less than this is a zero with a computer's rounding.
const NOTHING: f64 = 1e-9;
/// More digits than these tell nobody anything.
const DIGITS_MOST: i32 = 4;

/// A share in percent, its interval, and what was counted.
pub(in super::super) fn cells(rate: &Rate) -> [String; 3] {
    if rate.of == 0 {
        return ["-", "-", "none"].map(str::to_owned);
    }
    [percent(rate.share, rate.of), interval(rate), counted(rate)]
}

/// The same in a line.
pub(super) fn said(rate: &Rate, things: &str) -> String {
    if rate.of == 0 {
        return format!("no {things}");
    }
    let share = percent(rate.share, rate.of);
    format!("{} {things}, {share} (95 % interval {})", counted(rate), interval(rate))
}

/// A share of so many trials, in percent.
pub(super) fn percent(share: f64, trials: u64) -> String {
    format!("{} %", digits(share, trials))
}

/// A round share, as it is.
pub(super) fn round_percent(share: f64) -> String {
    format!("{} %", (share * 1e10).round() / 1e8)
}

pub(super) fn interval(rate: &Rate) -> String {
    format!("{} to {} %", digits(rate.low, rate.of), digits(rate.high, rate.of))
}

pub(super) fn counted(rate: &Rate) -> String {
    format!("{} of {}", grouped(rate.errors), grouped(rate.of))
}

/// With a comma between each three digits.
pub(super) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn digits(share: f64, trials: u64) -> String {
    if share < NOTHING {
        return "0".to_owned();
    }
    if share > 1.0 - NOTHING && share < 1.0 + NOTHING {
        return "100".to_owned();
    }
    let percent = share * 100.0;
    let first = percent.log10().floor() as i32;
    // One trial in a thousand is 0.1 %; a few of them bear out no more than whole percents.
    let borne_out = if trials < 10 { 0 } else { (trials.ilog10() as i32 - 1).max(1) };
    // What is not zero is not written as one.
    let decimals = borne_out.min(DIGITS_MOST - 1 - first).max(-first).max(0);
    format!("{percent:.*}", decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_the_digits_that_its_trials_bear_out() {
        for (errors, of, text) in [
            (0, 2, ["0 %", "0 to 66 %", "0 of 2"]),
            (1, 2, ["50 %", "9 to 91 %", "1 of 2"]),
            (0, 52, ["0 %", "0 to 6.9 %", "0 of 52"]),
            (47, 389, ["12.1 %", "9.2 to 15.7 %", "47 of 389"]),
            (53, 4_414, ["1.20 %", "0.92 to 1.57 %", "53 of 4,414"]),
            (680, 7_255_541, ["0.00937 %", "0.00869 to 0.01010 %", "680 of 7,255,541"]),
            (4_414, 4_414, ["100 %", "99.91 to 100 %", "4,414 of 4,414"]),
        ] {
            assert_eq!(cells(&Rate::new(errors, of)), text);
        }
        assert_eq!(cells(&Rate::new(0, 0)), ["-", "-", "none"]);
    }

    #[test]
    fn what_is_not_zero_is_not_written_as_one() {
        assert_eq!(interval(&Rate::new(1, 900)), "0.02 to 0.6 %");
    }

    #[test]
    fn round_shares_are_written_in_full() {
        let shares = [1.0, 0.1, 0.01, 0.001, 1e-4, 1e-6, 0.85];
        assert_eq!(
            shares.map(round_percent),
            ["100 %", "10 %", "1 %", "0.1 %", "0.01 %", "0.0001 %", "85 %"]
        );
    }
}
