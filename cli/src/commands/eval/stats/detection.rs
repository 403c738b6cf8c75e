//! Bona fide and attack presentations: classification error rates by species of attack instrument (ISO/IEC 30107-3).

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Rate;
use super::ranks::ranks;

/// The scores of presentations of one class; the greater, the more bona fide, 0..=1.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Presentations {
    scores: Vec<f64>,
    /// Presentations without a score: there is no face, or none that can be judged.
    silent: usize,
}

impl Presentations {
    /// `None` for a presentation that gave no score.
    pub(in super::super) fn add(&mut self, score: Option<f64>) {
        match score {
            Some(score) => self.scores.push(score),
            None => self.silent += 1,
        }
    }

    fn passed(&self, threshold: f64) -> usize {
        self.scores.iter().filter(|score| **score >= threshold).count()
    }

    fn silence(&self) -> Rate {
        Rate::new(self.silent, self.scores.len() + self.silent)
    }
}

/// As a report kept them, without those that gave no score.
impl From<Vec<f64>> for Presentations {
    fn from(scores: Vec<f64>) -> Self {
        Self { scores, silent: 0 }
    }
}

/// A presentation attack detector's answers.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Detection {
    pub(in super::super) bona_fide: Presentations,
    /// By species of attack instrument.
    pub(in super::super) attacks: BTreeMap<String, Presentations>,
}

/// The errors at one threshold. What gives no score is in no classification error rate: it is counted apart, as the
/// standard has it; the service rejects it.
#[derive(Debug, Clone, Serialize)]
pub(in super::super) struct AttackRates {
    /// The least score that is called bona fide.
    pub(in super::super) threshold: f64,
    /// Attack presentation classification error rate: attacks that pass, by species.
    pub(in super::super) apcer: BTreeMap<String, Rate>,
    /// Of the species that passes most: the rate that the standard compares by.
    pub(in super::super) apcer_max: f64,
    /// Bona fide presentation classification error rate: bona fide presentations that don't pass.
    pub(in super::super) bpcer: Rate,
    /// The mean of `apcer_max` and `bpcer`.
    pub(in super::super) acer: f64,
    /// Attack presentation non-response rate, by species.
    pub(in super::super) apnrr: BTreeMap<String, Rate>,
    /// Bona fide presentation non-response rate.
    pub(in super::super) bpnrr: Rate,
}

impl Detection {
    pub(in super::super) fn at(&self, threshold: f64) -> AttackRates {
        let rate = |(species, shown): (&String, &Presentations)| {
            (species.clone(), Rate::new(shown.passed(threshold), shown.scores.len()))
        };
        let apcer: BTreeMap<_, _> = self.attacks.iter().map(rate).collect();
        let apcer_max = apcer.values().map(|rate| rate.share).fold(0.0, f64::max);
        let count = self.bona_fide.scores.len();
        let bpcer = Rate::new(count - self.bona_fide.passed(threshold), count);
        AttackRates {
            threshold,
            apcer,
            apcer_max,
            bpcer,
            acer: f64::midpoint(apcer_max, bpcer.share),
            apnrr: self.attacks.iter().map(|(species, shown)| (species.clone(), shown.silence())).collect(),
            bpnrr: self.bona_fide.silence(),
        }
    }

    /// The least threshold at which no species passes more often than that.
    pub(in super::super) fn at_apcer(&self, most: f64) -> Option<AttackRates> {
        self.first_at_which(|rates| rates.apcer_max <= most)
    }

    /// The errors at the least threshold at which that holds.
    pub(in super::super) fn first_at_which(
        &self,
        holds: impl Fn(&AttackRates) -> bool,
    ) -> Option<AttackRates> {
        self.thresholds().into_iter().map(|threshold| self.at(threshold)).find(holds)
    }

    /// Where all attacks together and bona fide presentations err alike, or nearest to it: the rate between the two.
    pub(in super::super) fn equal_error(&self) -> Option<(f64, f64)> {
        let attacks: usize = self.attacks.values().map(|shown| shown.scores.len()).sum();
        if attacks == 0 || self.bona_fide.scores.is_empty() {
            return None;
        }
        let errors = |threshold: f64| {
            let passed: usize = self.attacks.values().map(|shown| shown.passed(threshold)).sum();
            (passed as f64 / attacks as f64, self.at(threshold).bpcer.share)
        };
        let points = self.thresholds().into_iter().map(|threshold| (threshold, errors(threshold)));
        let nearest = points.min_by(|(_, one), (_, other)| {
            let apart = |errors: &(f64, f64)| (errors.0 - errors.1).abs();
            apart(one).total_cmp(&apart(other))
        });
        nearest.map(|(threshold, (apcer, bpcer))| (threshold, f64::midpoint(apcer, bpcer)))
    }

    /// The sorted scores by label, for a report.
    pub(in super::super) fn scores(&self) -> BTreeMap<String, Vec<f64>> {
        let attacks = self.attacks.iter().map(|(species, shown)| (format!("attack/{species}"), shown));
        let all = attacks.chain([("live".to_owned(), &self.bona_fide)]);
        all.map(|(label, shown)| {
            let mut scores = shown.scores.clone();
            scores.sort_unstable_by(f64::total_cmp);
            (label, scores)
        })
        .collect()
    }

    /// The greatest APCER and the BPCER along the thresholds, for a DET curve; at most about `most` points.
    pub(in super::super) fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        let thresholds = self.thresholds();
        let count = thresholds.len();
        // Few errors of one kind are at one end, few of the other at the other.
        let ends = ranks(count, most / 2).into_iter().flat_map(|rank| [rank - 1, count - rank]);
        let kept: BTreeSet<usize> = ends.collect();
        let points = kept.into_iter().map(|at| self.at(thresholds[at]));
        let mut curve: Vec<_> = points.map(|rates| (rates.apcer_max, rates.bpcer.share)).collect();
        curve.dedup();
        curve
    }

    /// Every threshold at which an answer changes, ascending, and one that nothing passes.
    fn thresholds(&self) -> Vec<f64> {
        let attacks = self.attacks.values().flat_map(|shown| &shown.scores);
        let mut all: Vec<f64> = self.bona_fide.scores.iter().chain(attacks).copied().collect();
        all.push(1.0_f64.next_up());
        all.sort_unstable_by(f64::total_cmp);
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detection(bona_fide: &[f64], attacks: &[(&str, &[f64])]) -> Detection {
        let mut detection = Detection::default();
        for score in bona_fide {
            detection.bona_fide.add(Some(*score));
        }
        for (species, scores) in attacks {
            let shown = detection.attacks.entry((*species).to_owned()).or_default();
            for score in *scores {
                shown.add(Some(*score));
            }
        }
        detection
    }

    #[test]
    fn the_species_that_passes_most_decides() {
        let rates =
            detection(&[0.9, 0.95, 0.4, 0.8], &[("print", &[0.1, 0.9]), ("replay", &[0.2, 0.3, 0.1])])
                .at(0.5);
        assert_eq!((rates.apcer["print"].errors, rates.apcer["replay"].errors), (1, 0));
        assert!((rates.apcer_max - 0.5).abs() < 1e-9);
        assert_eq!((rates.bpcer.errors, rates.bpcer.of), (1, 4));
        assert!((rates.acer - 0.375).abs() < 1e-9);
    }

    #[test]
    fn what_gives_no_score_is_counted_apart() {
        let mut detection = detection(&[0.9], &[("print", &[0.1])]);
        detection.bona_fide.add(None);
        detection.attacks.entry("mask".to_owned()).or_default().add(None);
        let rates = detection.at(0.5);
        assert_eq!((rates.bpnrr.errors, rates.bpnrr.of), (1, 2));
        assert_eq!(rates.apnrr["mask"].errors, 1);
        assert_eq!(rates.bpcer.of, 1);
        assert_eq!(rates.apcer["mask"].of, 0, "a species is never left out of the table");
    }

    #[test]
    fn a_threshold_for_a_rate_holds_for_every_species() {
        let detection = detection(&[0.5, 0.9], &[("print", &[0.6, 0.1]), ("replay", &[0.7, 0.2])]);
        let rates = detection.at_apcer(0.0).expect("a threshold");
        assert!((rates.threshold - 0.9).abs() < 1e-9);
        assert!((rates.bpcer.share - 0.5).abs() < 1e-9);
        assert!(detection.at_apcer(0.5).expect("a threshold").threshold <= 0.5);
    }

    #[test]
    fn equal_errors_are_found() {
        let detection = detection(&[0.3, 0.8, 0.9, 0.95], &[("print", &[0.1, 0.2, 0.25, 0.85])]);
        let (_, rate) = detection.equal_error().expect("a point");
        assert!((rate - 0.25).abs() < 1e-9, "{rate}");
    }
}
