//! Genuine and impostor comparisons: error rates at thresholds, and thresholds for error rates (ISO/IEC 19795-1).

use serde::{Deserialize, Serialize};

use super::Rate;
use super::ranks::ranks;

/// Distances of comparisons; the smaller, the more alike.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Matching {
    genuine: Vec<f32>,
    impostor: Vec<f32>,
    /// Impostors farther apart than all of those, whose distances nobody kept.
    farther: usize,
    /// Genuine and impostor comparisons that could not be made.
    lost: [usize; 2],
    sorted: bool,
}

/// What a report keeps of the distances, sorted, so that thresholds can be chosen from it later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Distances {
    pub(in super::super) genuine: Vec<f32>,
    /// The smallest of the impostors': a threshold that lets more of them pass is none.
    pub(in super::super) nearest_impostors: Vec<f32>,
    /// All impostors.
    pub(in super::super) impostors: usize,
}

/// Comparisons that could not be made, since one side gave nothing to compare: they are in neither error rate.
#[derive(Debug, Clone, Copy, Serialize)]
pub(in super::super) struct Lost {
    pub(in super::super) genuine: Rate,
    pub(in super::super) impostor: Rate,
}

/// The errors at one threshold.
#[derive(Debug, Clone, Copy, Serialize)]
pub(in super::super) struct OperatingPoint {
    /// The greatest distance that is called a match.
    pub(in super::super) threshold: f64,
    /// False match rate: impostors that match.
    pub(in super::super) fmr: Rate,
    /// False non-match rate: genuine pairs that don't.
    pub(in super::super) fnmr: Rate,
}

impl Matching {
    pub(in super::super) fn add(&mut self, same: bool, distance: f32) {
        self.sorted = false;
        if same { self.genuine.push(distance) } else { self.impostor.push(distance) }
    }

    /// A comparison that could not be made.
    pub(in super::super) fn lose(&mut self, same: bool) {
        self.lost[usize::from(!same)] += 1;
    }

    pub(in super::super) fn lost(&self) -> Lost {
        let of = |lost: usize, made: usize| Rate::new(lost, lost + made);
        Lost { genuine: of(self.lost[0], self.genuine.len()), impostor: of(self.lost[1], self.impostors()) }
    }

    pub(in super::super) fn extend(&mut self, other: &Self) {
        self.sorted = false;
        self.genuine.extend_from_slice(&other.genuine);
        self.impostor.extend_from_slice(&other.impostor);
    }

    /// Has to be called after the last [`add`](Self::add).
    pub(in super::super) fn sort(&mut self) {
        self.genuine.sort_unstable_by(f32::total_cmp);
        self.impostor.sort_unstable_by(f32::total_cmp);
        self.sorted = true;
    }

    /// The distances for a report, with at most `nearest` impostors.
    pub(in super::super) fn distances(&self, nearest: usize) -> Distances {
        debug_assert!(self.sorted, "sort() comes first");
        let kept = self.impostor.len().min(nearest);
        Distances {
            genuine: self.genuine.clone(),
            nearest_impostors: self.impostor[..kept].to_vec(),
            impostors: self.impostors(),
        }
    }

    pub(in super::super) fn genuine(&self) -> &[f32] {
        &self.genuine
    }

    /// How many there are.
    pub(in super::super) fn impostors(&self) -> usize {
        self.impostor.len() + self.farther
    }

    pub(in super::super) fn at(&self, threshold: f64) -> OperatingPoint {
        debug_assert!(self.sorted, "sort() comes first");
        let matching =
            |distances: &[f32]| distances.partition_point(|distance| *distance <= threshold as f32);
        OperatingPoint {
            threshold,
            fmr: Rate::new(matching(&self.impostor), self.impostors()),
            fnmr: Rate::new(self.genuine.len() - matching(&self.genuine), self.genuine.len()),
        }
    }

    /// The greatest threshold at which no more than that share of the impostors matches. `None` where there are too few
    /// to tell: it takes 1 / `fmr` of them; or where the distances that are left don't reach so far.
    pub(in super::super) fn at_fmr(&self, fmr: f64) -> Option<OperatingPoint> {
        let allowed = (fmr * self.impostors() as f64 + 1e-9).floor() as usize;
        if allowed == 0 { None } else { self.at_errors(allowed) }
    }

    /// The greatest threshold at which no more than so many impostors match. `None` where nothing is known of the next.
    pub(in super::super) fn at_errors(&self, allowed: usize) -> Option<OperatingPoint> {
        let first_refused = *self.impostor.get(allowed)?;
        Some(self.at(f64::from(first_refused.next_down())))
    }

    /// Where both errors are the same, or nearest to it.
    pub(in super::super) fn equal_error(&self) -> Option<OperatingPoint> {
        if self.genuine.is_empty() || self.impostor.is_empty() {
            return None;
        }
        let difference = |point: &OperatingPoint| point.fmr.share - point.fnmr.share;
        // The difference grows with the threshold: its sign changes once in either list.
        let beside = |distances: &[f32]| {
            let at = distances.partition_point(|distance| difference(&self.at(f64::from(*distance))) < 0.0);
            [at.checked_sub(1), Some(at)].map(|at| at.and_then(|at| distances.get(at)).copied())
        };
        let candidates = beside(&self.genuine).into_iter().chain(beside(&self.impostor)).flatten();
        let points = candidates.map(|threshold| self.at(f64::from(threshold)));
        points.min_by(|one, other| difference(one).abs().total_cmp(&difference(other).abs()))
    }

    /// FMR and FNMR along the thresholds, for DET and ROC curves: at most `most` points, each another pair.
    pub(in super::super) fn curve(&self, most: usize) -> Vec<(f64, f64)> {
        // Few false matches are the nearest impostors, few false non-matches the farthest genuine pairs.
        let nearest = ranks(self.impostor.len(), most / 2).into_iter().map(|rank| self.impostor[rank - 1]);
        let count = self.genuine.len();
        let farthest = ranks(count, most / 2).into_iter().map(|rank| self.genuine[count - rank]);
        let mut thresholds: Vec<f32> = nearest.chain(farthest).collect();
        thresholds.sort_unstable_by(f32::total_cmp);
        let points = thresholds.into_iter().map(|threshold| self.at(f64::from(threshold)));
        let mut curve: Vec<_> = points.map(|point| (point.fmr.share, point.fnmr.share)).collect();
        curve.dedup();
        curve
    }

    /// The share of right answers at the threshold that is best for `self`, asked of `others`: one fold of a
    /// cross-validation.
    pub(in super::super) fn accuracy_on(&self, others: &Self) -> f64 {
        let right = |point: &OperatingPoint| {
            (point.fmr.of - point.fmr.errors + point.fnmr.of - point.fnmr.errors) as f64
        };
        let candidates =
            self.genuine.iter().chain(&self.impostor).map(|distance| self.at(f64::from(*distance)));
        let best = candidates.max_by(|one, other| right(one).total_cmp(&right(other)));
        let Some(best) = best else { return 0.0 };
        let asked = others.at(best.threshold);
        right(&asked) / (asked.fmr.of + asked.fnmr.of).max(1) as f64
    }
}

/// As a report kept them.
impl From<Distances> for Matching {
    fn from(kept: Distances) -> Self {
        let farther = kept.impostors.saturating_sub(kept.nearest_impostors.len());
        let mut matching =
            Self { genuine: kept.genuine, impostor: kept.nearest_impostors, farther, ..Self::default() };
        matching.sort();
        matching
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matching(genuine: &[f32], impostor: &[f32]) -> Matching {
        let (genuine, impostor) = (genuine.to_vec(), impostor.to_vec());
        let mut matching = Matching { genuine, impostor, ..Matching::default() };
        matching.sort();
        matching
    }

    #[test]
    fn errors_are_counted_on_both_sides_of_the_threshold() {
        let point = matching(&[0.9, 0.2, 0.5], &[1.5, 0.5, 1.0, 0.8]).at(0.8);
        assert_eq!((point.fmr.errors, point.fmr.of), (2, 4), "a distance on the threshold matches");
        assert_eq!((point.fnmr.errors, point.fnmr.of), (1, 3));
    }

    #[test]
    fn a_threshold_for_a_rate_lets_no_more_through() {
        let impostor: Vec<f32> = (1..=100_u8).map(|distance| f32::from(distance) / 100.0).collect();
        let matching = matching(&[0.015], &impostor);
        let point = matching.at_fmr(0.02).expect("enough impostors");
        assert_eq!((point.fmr.errors, point.fnmr.errors), (2, 0));
        assert!(point.threshold < 0.03 && point.threshold > 0.0299);
        assert!(matching.at_fmr(0.001).is_none(), "a hundred can't show one in a thousand");
    }

    #[test]
    fn what_a_report_keeps_gives_the_same_threshold() {
        let impostor: Vec<f32> = (1..=100_u8).map(|distance| f32::from(distance) / 100.0).collect();
        let all = matching(&[0.015, 0.04], &impostor);
        let kept = Matching::from(all.distances(5));
        let (whole, part) = (all.at_fmr(0.03).expect("a point"), kept.at_fmr(0.03).expect("a point"));
        assert_eq!((whole.threshold.to_bits(), whole.fmr), (part.threshold.to_bits(), part.fmr));
        assert_eq!(whole.fnmr, part.fnmr);
        assert!(kept.at_fmr(0.05).is_none(), "nothing is known of the sixth");
    }

    #[test]
    fn equal_errors_are_found() {
        let point = matching(&[0.1, 0.2, 0.3, 0.9], &[0.25, 1.0, 1.1, 1.2]).equal_error().expect("a point");
        assert!((point.fmr.share - 0.25).abs() < 1e-9 && (point.fnmr.share - 0.25).abs() < 1e-9);
        assert!(matching(&[0.1], &[]).equal_error().is_none());
    }

    #[test]
    fn a_curve_falls_from_one_error_to_the_other() {
        let genuine: Vec<f32> = (0..50_u8).map(|at| f32::from(at) / 100.0).collect();
        let impostor: Vec<f32> = (0..200_u8).map(|at| 0.3 + f32::from(at) / 100.0).collect();
        let curve = matching(&genuine, &impostor).curve(40);
        assert!(curve.len() > 20 && curve.len() <= 42, "{}", curve.len());
        assert!(curve.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 >= pair[1].1), "{curve:?}");
    }

    #[test]
    fn comparisons_that_could_not_be_made_are_counted_and_in_no_error_rate() {
        let mut matching = matching(&[0.1], &[0.9]);
        for same in [true, true, false] {
            matching.lose(same);
        }
        let lost = matching.lost();
        assert_eq!((lost.genuine.errors, lost.genuine.of), (2, 3));
        assert_eq!((lost.impostor.errors, lost.impostor.of), (1, 2));
        assert_eq!(matching.at(0.5).fnmr.of, 1);
    }

    #[test]
    fn a_fold_is_judged_by_the_others_threshold() {
        let others = matching(&[0.1, 0.2], &[0.8, 0.9]);
        let fold = matching(&[0.15, 0.5], &[0.7, 0.1]);
        assert!((others.accuracy_on(&fold) - 0.5).abs() < 1e-9);
    }
}
