//! One confidence for a clip from the samples that were judged.

use super::identity::OTHER_PERSON;
use super::watch::Sample;
use crate::stages::liveness::LivenessJudges;

/// The samples' confidence as one for the clip, 0..=1; `None` when no face was judged. Only the clip's own face counts, by
/// the samples' `drift` from it: another's liveness says nothing of it.
pub(super) fn clip_confidence(
    judges: &LivenessJudges,
    samples: &[Sample],
    drift: &[Option<f64>],
) -> Option<f64> {
    let own = samples.iter().zip(drift).filter(|(_, drift)| drift.is_some_and(|drift| drift <= OTHER_PERSON));
    judges.fuse_frames(own.filter_map(|(sample, _)| sample.liveness.as_ref()).map(|found| found.confidence))
}

#[cfg(test)]
mod tests {
    use countersign_shared::domain::LivenessEvidence;

    use super::*;
    use crate::models::LivenessScale;

    #[test]
    fn the_liveness_of_someone_else_does_not_count() {
        let samples = [0.1, 0.1, 0.99, 0.99].map(|confidence| Sample {
            frame: 0,
            seconds: 0.0,
            segment: 0,
            num_faces: 1,
            bounds: None,
            embedding: None,
            liveness: Some(LivenessEvidence { confidence, scores: Vec::new() }),
        });
        let drift = [Some(0.1), Some(0.2), Some(1.1), Some(1.1)];
        let judges = LivenessJudges::new(Vec::new(), LivenessScale::default());
        let confidence = clip_confidence(&judges, &samples, &drift).expect("judged");
        assert!(confidence < 0.2, "{confidence}");
        assert_eq!(clip_confidence(&judges, &[], &[]), None);
    }
}
