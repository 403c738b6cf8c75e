//! Blinks: a pair of eyes that closes for a moment.

/// Eyes this much less open than usual are closed.
const CLOSED: f64 = 0.6;
/// A blink lasts at most this many seconds; longer, and the eyes are shut or look down.
const LONGEST: f64 = 0.5;

/// How often the eyes close and open again. People blink 15 to 20 times a minute, so that a third of genuine clips of
/// 3.5 s hold none: a number for the report, not a condition.
pub(super) fn count(seconds: &[f64], openings: &[f64]) -> u32 {
    let mut sorted = openings.to_vec();
    sorted.sort_by(f64::total_cmp);
    let Some(usual) = sorted.get(sorted.len() / 2) else { return 0 };
    let mut blinks = 0;
    let mut opened_before = false;
    let mut closed_since: Option<f64> = None;
    for (now, opening) in seconds.iter().zip(openings) {
        if *opening < usual * CLOSED {
            if opened_before {
                closed_since.get_or_insert(*now);
            }
        } else {
            opened_before = true;
            blinks += u32::from(closed_since.take().is_some_and(|since| now - since <= LONGEST));
        }
    }
    blinks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blinks(openings: &[f64]) -> u32 {
        let seconds: Vec<f64> = (0..openings.len()).map(|index| index as f64 * 0.06).collect();
        count(&seconds, openings)
    }

    #[test]
    fn eyes_that_close_for_a_moment_blink() {
        assert_eq!(blinks(&[0.3, 0.3, 0.1, 0.1, 0.3, 0.3, 0.3, 0.05, 0.3]), 2);
    }

    #[test]
    fn eyes_that_stay_shut_or_open_dont() {
        assert_eq!(blinks(&[0.3; 20]), 0);
        let mut shut = vec![0.3; 40];
        shut[5..18].fill(0.05);
        assert_eq!(blinks(&shut), 0);
        assert_eq!(blinks(&[]), 0);
    }
}
