//! Spoken codes: how often the right one is refused and a wrong one accepted, by how the wrong one differs; and how often
//! what is read without a claim is not what was said.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Rate;
use super::ranks::ranks;

/// A claimed code against a clip.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Trial {
    pub(in super::super) passed: bool,
    /// The score, where the clip's other limits let it count; `None` where they refuse the clip whatever the score.
    pub(in super::super) score: Option<f64>,
}

/// The trials of some clips.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Codes {
    genuine: Vec<Trial>,
    /// By species: `one digit differs`, `other digits`, and the kinds of sound that hold no code.
    wrong: BTreeMap<String, Vec<Trial>>,
    transcripts: Readings,
    likeliest: Readings,
}

/// What was read without a claim, against what was said.
#[derive(Debug, Default, Clone, Copy)]
struct Readings {
    clips: usize,
    wrong: usize,
    digits: usize,
    digits_wrong: usize,
}

/// The errors of readings.
#[derive(Debug, Clone, Serialize)]
pub(in super::super) struct ReadingRates {
    /// Readings that are not exactly what was said.
    pub(in super::super) sequence: Rate,
    /// Digits that were left out, put in or misread, of those said. Those put in can bring it over 1.
    pub(in super::super) digit: f64,
}

/// The errors at the service's limits.
#[derive(Debug, Clone, Serialize)]
pub(in super::super) struct CodeRates {
    /// Clips in which the claimed code was said, and that were refused.
    pub(in super::super) genuine_refused: Rate,
    /// Wrong codes that were accepted, by species.
    pub(in super::super) wrong_accepted: BTreeMap<String, Rate>,
    /// Of the free transcript.
    pub(in super::super) transcript: ReadingRates,
    /// Of the six digits that explain the sound best.
    pub(in super::super) likeliest: ReadingRates,
}

/// The errors if the score had to reach `score`, the other limits being as they are.
#[derive(Debug, Clone, Serialize)]
pub(in super::super) struct ScorePoint {
    pub(in super::super) score: f64,
    pub(in super::super) genuine_refused: Rate,
    pub(in super::super) wrong_accepted: BTreeMap<String, Rate>,
}

impl ScorePoint {
    /// The species of wrong codes that is accepted most often, and right codes refused: a point of a DET curve.
    pub(in super::super) fn errors(&self) -> (f64, f64) {
        let most = self.wrong_accepted.values().map(|rate| rate.share).fold(0.0, f64::max);
        (most, self.genuine_refused.share)
    }
}

impl Codes {
    pub(in super::super) fn add_genuine(&mut self, trial: Trial) {
        self.genuine.push(trial);
    }

    pub(in super::super) fn add_wrong(&mut self, species: &str, trial: Trial) {
        self.wrong.entry(species.to_owned()).or_default().push(trial);
    }

    /// What was read in a clip in which `said` was said.
    pub(in super::super) fn add_readings(&mut self, said: &[u8], transcript: &[u8], likeliest: &[u8]) {
        self.transcripts.add(said, transcript);
        self.likeliest.add(said, likeliest);
    }

    pub(in super::super) fn rates(&self) -> CodeRates {
        let passed = |trial: &Trial| trial.passed;
        CodeRates {
            genuine_refused: refused(&self.genuine, passed),
            wrong_accepted: self.accepted(passed),
            transcript: self.transcripts.rates(),
            likeliest: self.likeliest.rates(),
        }
    }

    pub(in super::super) fn at_score(&self, score: f64) -> ScorePoint {
        let passed = |trial: &Trial| trial.score.is_some_and(|found| found >= score);
        ScorePoint {
            score,
            genuine_refused: refused(&self.genuine, passed),
            wrong_accepted: self.accepted(passed),
        }
    }

    /// [`ScorePoint::errors`] along the scores; at most about `most` points.
    pub(in super::super) fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        let trials = self.genuine.iter().chain(self.wrong.values().flatten());
        let mut scores: Vec<f64> = trials.filter_map(|trial| trial.score).collect();
        scores.sort_unstable_by(|one, other| other.total_cmp(one));
        scores.dedup();
        let kept = ranks(scores.len(), most).into_iter().map(|rank| scores[rank - 1]);
        let mut curve: Vec<_> = kept.map(|score| self.at_score(score).errors()).collect();
        curve.dedup();
        curve
    }

    fn accepted(&self, passed: impl Fn(&Trial) -> bool) -> BTreeMap<String, Rate> {
        let rate =
            |trials: &[Trial]| Rate::new(trials.iter().filter(|trial| passed(trial)).count(), trials.len());
        self.wrong.iter().map(|(species, trials)| (species.clone(), rate(trials))).collect()
    }
}

impl Readings {
    fn add(&mut self, said: &[u8], read: &[u8]) {
        self.clips += 1;
        self.wrong += usize::from(said != read);
        self.digits += said.len();
        self.digits_wrong += edits(said, read);
    }

    fn rates(&self) -> ReadingRates {
        let digit = if self.digits == 0 { 0.0 } else { self.digits_wrong as f64 / self.digits as f64 };
        ReadingRates { sequence: Rate::new(self.wrong, self.clips), digit }
    }
}

fn refused(trials: &[Trial], passed: impl Fn(&Trial) -> bool) -> Rate {
    Rate::new(trials.iter().filter(|trial| !passed(trial)).count(), trials.len())
}

/// The fewest digits to put in, leave out or change (Levenshtein).
fn edits(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, digit) in one.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = above + 1;
        for (left, against) in other.iter().enumerate() {
            let changed = diagonal + usize::from(digit != against);
            diagonal = row[left + 1];
            row[left + 1] = changed.min(row[left] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(score: f64) -> Trial {
        Trial { passed: score >= -5.0, score: Some(score) }
    }

    #[test]
    fn right_codes_are_counted_when_refused_and_wrong_ones_when_accepted() {
        let mut codes = Codes::default();
        for score in [-1.0, -6.0, -2.0] {
            codes.add_genuine(trial(score));
        }
        codes.add_genuine(Trial { passed: false, score: None });
        for score in [-4.0, -9.0] {
            codes.add_wrong("one digit differs", trial(score));
        }
        codes.add_wrong("silence", Trial { passed: false, score: None });
        let rates = codes.rates();
        assert_eq!((rates.genuine_refused.errors, rates.genuine_refused.of), (2, 4));
        assert_eq!(rates.wrong_accepted["one digit differs"].errors, 1);
        assert_eq!((rates.wrong_accepted["silence"].errors, rates.wrong_accepted["silence"].of), (0, 1));
        let lax = codes.at_score(-20.0);
        assert_eq!(lax.genuine_refused.errors, 1, "what other limits refuse passes at no score");
        assert_eq!(lax.wrong_accepted["one digit differs"].errors, 2);
        let curve = codes.curve(100);
        assert_eq!((curve.first(), curve.last()), (Some(&(0.0, 0.75)), Some(&(1.0, 0.25))));
    }

    #[test]
    fn readings_are_wrong_as_a_whole_and_by_the_digit() {
        let mut codes = Codes::default();
        codes.add_readings(&[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4, 5], &[1, 2, 3, 4, 5, 6]);
        codes.add_readings(&[1, 2, 3, 4, 5, 6], &[1, 2, 3, 4, 5, 6], &[1, 2, 3, 9, 5, 6]);
        let rates = codes.rates();
        assert_eq!((rates.transcript.sequence.errors, rates.likeliest.sequence.errors), (1, 1));
        assert!((rates.transcript.digit - 1.0 / 12.0).abs() < 1e-9);
    }

    #[test]
    fn edits_are_counted_as_levenshtein_did() {
        assert_eq!(edits(b"kitten", b"sitting"), 3);
        assert_eq!((edits(b"", b"abc"), edits(b"abc", b""), edits(b"abc", b"abc")), (3, 3, 0));
    }
}
