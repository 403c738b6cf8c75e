//! Whether a selfie's face can be judged at all: a reason in place of a coin toss.

use countersign_shared::domain::{Check, CheckName, FaceQuality, StillEvidence, Thresholds};

use super::decide::reasons;

/// So many times over every limit is as good as any more.
const SCORE_MAX: f64 = 10.0;

/// What keeps a face from being judged; nothing, if it can be.
pub fn lacking(quality: &FaceQuality, limits: &Thresholds) -> Vec<String> {
    reasons(measures(quality, limits).map(|(times, reason)| (times < 1.0, reason)))
}

/// Fails where one of the measures is beyond its limit.
pub(super) fn check(photo: &StillEvidence, limits: &Thresholds) -> Check {
    let worst =
        |quality| measures(quality, limits).map(|(times, _)| times).into_iter().fold(SCORE_MAX, f64::min);
    let reasons = match &photo.quality {
        Some(quality) => lacking(quality, limits),
        None => reasons([(true, "no_face")]),
    };
    Check {
        name: CheckName::PhotoQuality,
        passed: reasons.is_empty(),
        score: photo.quality.as_ref().map(worst),
        threshold: Some(1.0),
        reasons,
    }
}

/// How many times over its limit each measure is, and what is said of it below.
fn measures(quality: &FaceQuality, limits: &Thresholds) -> [(f64, &'static str); 5] {
    let times = |value: f64, limit: f64| if limit > 0.0 { value / limit } else { SCORE_MAX };
    [
        (times(quality.eye_distance, limits.eye_distance_min), "face_too_small"),
        (times(quality.sharpness, limits.sharpness_min), "face_blurred"),
        (times(quality.exposure, limits.exposure_min), "face_badly_exposed"),
        (times(limits.yaw_max, quality.yaw.abs()), "face_turned_away"),
        (times(quality.mouth_visibility.unwrap_or(1.0), limits.mouth_visibility_min), "mouth_covered"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::decide::tests::limits;

    const GOOD: FaceQuality = FaceQuality {
        eye_distance: 160.0,
        sharpness: 0.4,
        exposure: 0.97,
        yaw: -8.0,
        pitch: 3.0,
        mouth_visibility: Some(0.99),
    };

    fn checked(quality: Option<FaceQuality>) -> Check {
        check(&StillEvidence { quality, ..StillEvidence::faceless(640, 480) }, &limits())
    }

    #[test]
    fn a_usable_face_passes_with_the_margin_of_its_worst_measure() {
        let check = checked(Some(GOOD));
        assert!(check.passed && check.reasons.is_empty());
        let margin = GOOD.mouth_visibility.expect("it was looked for") / limits().mouth_visibility_min;
        assert!((check.score.expect("a score") - margin).abs() < 1e-9, "{check:?}");
    }

    #[test]
    fn each_measure_fails_for_its_own_reason() {
        for (quality, reason) in [
            (FaceQuality { eye_distance: 6.0, ..GOOD }, "face_too_small"),
            (FaceQuality { sharpness: 0.01, ..GOOD }, "face_blurred"),
            (FaceQuality { exposure: 0.02, ..GOOD }, "face_badly_exposed"),
            (FaceQuality { yaw: -80.0, ..GOOD }, "face_turned_away"),
            (FaceQuality { mouth_visibility: Some(0.02), ..GOOD }, "mouth_covered"),
        ] {
            let check = checked(Some(quality));
            assert!(!check.passed && check.score.is_some_and(|score| score < 1.0), "{check:?}");
            assert_eq!(check.reasons, [reason]);
        }
    }

    #[test]
    fn a_mouth_that_was_not_looked_for_is_not_covered() {
        assert!(checked(Some(FaceQuality { mouth_visibility: None, ..GOOD })).passed);
    }

    #[test]
    fn without_a_face_there_is_nothing_to_measure() {
        let check = checked(None);
        assert!(!check.passed && check.score.is_none());
        assert_eq!(check.reasons, ["no_face"]);
    }

    #[test]
    fn a_limit_of_nothing_refuses_nothing() {
        let mut limits = limits();
        (limits.eye_distance_min, limits.sharpness_min, limits.exposure_min) = (0.0, 0.0, 0.0);
        (limits.yaw_max, limits.mouth_visibility_min) = (180.0, 0.0);
        let quality = FaceQuality {
            eye_distance: 1.0,
            sharpness: 0.0,
            exposure: 0.0,
            yaw: 89.0,
            pitch: 0.0,
            mouth_visibility: Some(0.0),
        };
        let still = StillEvidence { quality: Some(quality), ..StillEvidence::faceless(640, 480) };
        assert!(check(&still, &limits).passed);
    }
}
