//! One confidence for a clip from the samples that were judged.

use super::identity::OTHER_PERSON;
use super::watch::Sample;

/// From this many samples on, the highest and the lowest don't count: one odd frame says nothing of a clip.
const TRIMMED_FROM: usize = 4;

/// The mean of the samples' log-odds, as a confidence on the API's scale, 0..=1; `None` when no face was judged. Only the
/// clip's own face counts, by the samples' `drift` from it: another's liveness says nothing of it.
///
/// Each sample's confidence has its model's operating point at 0.9, so the mean keeps it there.
pub(super) fn clip_confidence(samples: &[Sample], drift: &[Option<f64>]) -> Option<f64> {
    let mut odds: Vec<f64> = samples
        .iter()
        .zip(drift)
        .filter(|(_, drift)| drift.is_some_and(|drift| drift <= OTHER_PERSON))
        .filter_map(|(sample, _)| sample.liveness.as_ref())
        .map(|found| log_odds(found.confidence))
        .collect();
    odds.sort_by(f64::total_cmp);
    let counted = if odds.len() >= TRIMMED_FROM { &odds[1..odds.len() - 1] } else { &odds[..] };
    let mean = counted.iter().sum::<f64>() / counted.len() as f64;
    (!counted.is_empty()).then(|| 1.0 / (1.0 + (-mean).exp()))
}

fn log_odds(confidence: f64) -> f64 {
    let confidence = confidence.clamp(1e-6, 1.0 - 1e-6);
    (confidence / (1.0 - confidence)).ln()
}

#[cfg(test)]
mod tests {
    use countersign_shared::domain::LivenessEvidence;

    use super::*;

    fn samples(confidences: &[f64]) -> Vec<Sample> {
        confidences
            .iter()
            .map(|confidence| Sample {
                frame: 0,
                seconds: 0.0,
                segment: 0,
                num_faces: 1,
                bounds: None,
                embedding: None,
                liveness: Some(LivenessEvidence { confidence: *confidence, scores: Vec::new() }),
            })
            .collect()
    }

    fn of_one_person(confidences: &[f64]) -> Option<f64> {
        clip_confidence(&samples(confidences), &vec![Some(0.0); confidences.len()])
    }

    #[test]
    fn the_liveness_of_someone_else_does_not_count() {
        let drift = [Some(0.1), Some(0.2), Some(1.1), Some(1.1)];
        let confidence = clip_confidence(&samples(&[0.1, 0.1, 0.99, 0.99]), &drift).expect("judged");
        assert!(confidence < 0.2, "{confidence}");
    }

    #[test]
    fn alike_samples_keep_their_confidence() {
        let confidence = of_one_person(&[0.9, 0.9, 0.9]).expect("judged");
        assert!((confidence - 0.9).abs() < 1e-9);
    }

    #[test]
    fn one_odd_frame_changes_nothing_and_half_of_them_do() {
        let one = of_one_person(&[0.98, 0.98, 0.98, 0.98, 0.98, 0.0]).expect("judged");
        assert!(one > 0.97, "{one}");
        let half = of_one_person(&[0.98, 0.98, 0.98, 0.02, 0.02, 0.02]).expect("judged");
        assert!(half < 0.9, "{half}");
    }

    #[test]
    fn a_clip_that_nobody_judged_has_no_confidence() {
        assert_eq!(clip_confidence(&[], &[]), None);
    }
}
