//! What follows from what was found in a photo: the checks, each with the numbers that it compared.

use countersign_shared::domain::{Check, CheckName, PhotoEvidence, StillEvidence, Thresholds, Verdict};

use super::quality;

/// Every check of a photo against a card.
pub(super) fn photo_checks(evidence: &PhotoEvidence, limits: &Thresholds) -> Vec<Check> {
    vec![
        face_match(evidence, limits),
        not_spoof(&evidence.photo, limits),
        single_face(&evidence.photo),
        face_to_frame_ratio(&evidence.photo, limits),
        id_card_not_spoof(&evidence.id_card, limits),
        quality::check(&evidence.photo, limits),
    ]
}

/// Every check of a photo on its own.
pub(super) fn spoof_checks(photo: &StillEvidence, limits: &Thresholds) -> Vec<Check> {
    vec![
        not_spoof(photo, limits),
        single_face(photo),
        face_to_frame_ratio(photo, limits),
        quality::check(photo, limits),
    ]
}

/// The checks' conjunction.
pub(super) fn verdict(checks: &[Check]) -> Verdict {
    Verdict::from_passed(checks.iter().all(|check| check.passed))
}

fn face_match(evidence: &PhotoEvidence, limits: &Thresholds) -> Check {
    let far = evidence.distance.is_some_and(|distance| distance > limits.distance_max);
    Check {
        name: CheckName::FaceMatch,
        passed: evidence.distance.is_some() && !far,
        score: evidence.distance,
        threshold: Some(limits.distance_max),
        reasons: reasons([
            (evidence.photo.face.is_none(), "no_face"),
            (evidence.id_card.face.is_none(), faceless_card(&evidence.id_card)),
            (far, "different_person"),
        ]),
    }
}

fn not_spoof(photo: &StillEvidence, limits: &Thresholds) -> Check {
    bona_fide(CheckName::NotSpoof, photo, limits.not_spoof_min, "no_face")
}

fn id_card_not_spoof(card: &StillEvidence, limits: &Thresholds) -> Check {
    bona_fide(CheckName::IdCardNotSpoof, card, limits.id_card_not_spoof_min, faceless_card(card))
}

/// Why nothing is known of a face on the card.
const fn faceless_card(card: &StillEvidence) -> &'static str {
    if card.width == 0 { "not_examined" } else { "no_face_on_id_card" }
}

fn bona_fide(name: CheckName, still: &StillEvidence, limit: f64, faceless: &str) -> Check {
    let confidence = still.liveness.as_ref().map(|liveness| liveness.confidence);
    let suspected = confidence.is_some_and(|confidence| confidence < limit);
    Check {
        name,
        passed: confidence.is_some() && !suspected,
        score: confidence,
        threshold: Some(limit),
        reasons: reasons([(confidence.is_none(), faceless), (suspected, "presentation_attack_suspected")]),
    }
}

fn single_face(photo: &StillEvidence) -> Check {
    Check {
        name: CheckName::SingleFace,
        passed: photo.num_faces == 1,
        score: Some(f64::from(photo.num_faces)),
        threshold: Some(1.0),
        reasons: reasons([(photo.num_faces == 0, "no_face"), (photo.num_faces > 1, "several_faces")]),
    }
}

fn face_to_frame_ratio(photo: &StillEvidence, limits: &Thresholds) -> Check {
    let ratio = photo.face.is_some().then(|| photo.face_to_frame_width_ratio());
    let near = ratio.is_some_and(|ratio| ratio > limits.face_to_frame_ratio_max);
    Check {
        name: CheckName::FaceToFrameRatio,
        passed: ratio.is_some() && !near,
        score: ratio,
        threshold: Some(limits.face_to_frame_ratio_max),
        reasons: reasons([(ratio.is_none(), "no_face"), (near, "face_too_near")]),
    }
}

/// The reasons that hold.
pub(super) fn reasons<const N: usize>(all: [(bool, &str); N]) -> Vec<String> {
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason.to_owned()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use countersign_shared::config::Config;
    use countersign_shared::domain::{BoundingBox, Face, FaceQuality, LivenessEvidence, Point};

    use super::*;

    /// The documented limits.
    pub(in crate::pipeline) fn limits() -> Thresholds {
        Config::load(None, []).expect("the defaults load").pipeline.thresholds()
    }

    fn still(confidence: f64, face_width: f64) -> StillEvidence {
        StillEvidence {
            width: 100,
            height: 100,
            num_faces: 1,
            face: Some(Face {
                bounds: BoundingBox { x: 0.0, y: 0.0, width: face_width, height: 50.0 },
                score: 0.9,
                points: [Point { x: 0.0, y: 0.0 }; 5],
                turned: 0,
                landmarks: Vec::new(),
            }),
            liveness: Some(LivenessEvidence { confidence, scores: Vec::new() }),
            quality: Some(FaceQuality {
                eye_distance: 40.0,
                sharpness: 0.3,
                exposure: 0.9,
                yaw: 5.0,
                pitch: 2.0,
                mouth_visibility: Some(0.98),
            }),
        }
    }

    fn faceless() -> StillEvidence {
        StillEvidence::faceless(100, 100)
    }

    fn good() -> PhotoEvidence {
        PhotoEvidence { id_card: still(0.3, 10.0), photo: still(0.95, 40.0), distance: Some(0.6) }
    }

    fn failing(checks: Vec<Check>) -> Vec<(CheckName, String)> {
        checks
            .into_iter()
            .filter(|check| !check.passed)
            .map(|check| (check.name, check.reasons.join(",")))
            .collect()
    }

    #[test]
    fn a_good_photo_passes_every_check() {
        let checks = photo_checks(&good(), &limits());
        assert_eq!(checks.len(), 6);
        assert_eq!(verdict(&checks), Verdict::Passed);
        assert!(checks.iter().all(|check| check.score.is_some() && check.reasons.is_empty()));
    }

    #[test]
    fn each_limit_fails_its_own_check_alone() {
        let failing_after = |spoil: fn(&mut PhotoEvidence)| {
            let mut evidence = good();
            spoil(&mut evidence);
            let checks = photo_checks(&evidence, &limits());
            assert_eq!(verdict(&checks), Verdict::Rejected);
            failing(checks)
        };
        let only = |name: CheckName, reason: &str| vec![(name, reason.to_owned())];
        assert_eq!(
            failing_after(|evidence| evidence.distance = Some(0.91)),
            only(CheckName::FaceMatch, "different_person")
        );
        assert_eq!(
            failing_after(|evidence| evidence.photo = still(0.89, 40.0)),
            only(CheckName::NotSpoof, "presentation_attack_suspected")
        );
        assert_eq!(
            failing_after(|evidence| evidence.photo.num_faces = 2),
            only(CheckName::SingleFace, "several_faces")
        );
        assert_eq!(
            failing_after(|evidence| evidence.photo = still(0.95, 71.0)),
            only(CheckName::FaceToFrameRatio, "face_too_near")
        );
        assert_eq!(
            failing_after(|evidence| evidence.id_card = still(0.001, 10.0)),
            only(CheckName::IdCardNotSpoof, "presentation_attack_suspected")
        );
    }

    #[test]
    fn a_value_on_its_limit_passes() {
        let card = still(limits().id_card_not_spoof_min, 10.0);
        let evidence = PhotoEvidence { id_card: card, photo: still(0.9, 70.0), distance: Some(0.9) };
        assert_eq!(failing(photo_checks(&evidence, &limits())), Vec::new());
    }

    #[test]
    fn a_photo_without_a_face_fails_what_needs_one_and_says_so() {
        let failed = failing(spoof_checks(&faceless(), &limits()));
        assert_eq!(failed.len(), 4);
        assert!(failed.iter().all(|(_, reasons)| reasons == "no_face"));
    }

    #[test]
    fn a_card_without_a_face_fails_the_match_and_its_own_check() {
        let evidence = PhotoEvidence { id_card: faceless(), distance: None, ..good() };
        let failed = failing(photo_checks(&evidence, &limits()));
        let reason = "no_face_on_id_card".to_owned();
        assert_eq!(failed, [(CheckName::FaceMatch, reason.clone()), (CheckName::IdCardNotSpoof, reason)]);
    }
}
