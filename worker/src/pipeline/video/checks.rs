//! The conditions of a video's verdict, all of them computed, with the numbers that they compared.

use countersign_shared::domain::{Check, CheckName, Standing, Thresholds, VideoEvidence};

use super::behaviour;
use crate::pipeline::decide::reasons;

/// Every check of a video; the verdict is their conjunction. `exchanged` says that someone else was seen for a while,
/// `challenge` how the challenge stood that was named, if one was.
pub(super) fn checks(
    evidence: &VideoEvidence,
    exchanged: bool,
    challenge: Option<Standing>,
    limits: &Thresholds,
) -> Vec<Check> {
    let mut checks = vec![
        audio_challenge(evidence, limits),
        face_to_frame_ratio(evidence, limits),
        not_spoof(evidence, limits),
        face_no_change(evidence, exchanged, limits),
        face_match(evidence, limits),
    ];
    checks.extend(behaviour::checks(evidence.behaviour.as_ref(), limits));
    checks.extend(challenge.map(named_challenge));
    checks
}

/// Digits that anybody could have known, such as those of a challenge that was used before, prove nothing.
fn named_challenge(standing: Standing) -> Check {
    let reason = standing.reason();
    Check {
        name: CheckName::Challenge,
        passed: reason.is_none(),
        score: None,
        threshold: None,
        reasons: reason.into_iter().map(str::to_owned).collect(),
    }
}

fn audio_challenge(evidence: &VideoEvidence, limits: &Thresholds) -> Check {
    Check {
        name: CheckName::AudioChallenge,
        passed: evidence.speech.passed,
        score: evidence.speech.score,
        threshold: Some(limits.speech_score_min),
        reasons: evidence.speech.reasons.clone(),
    }
}

fn face_to_frame_ratio(evidence: &VideoEvidence, limits: &Thresholds) -> Check {
    let ratio = Some(evidence.largest_face_to_frame_ratio).filter(|ratio| *ratio > 0.0);
    let near = ratio.is_some_and(|ratio| ratio > limits.face_to_frame_ratio_max);
    Check {
        name: CheckName::FaceToFrameRatio,
        passed: ratio.is_some() && !near,
        score: ratio,
        threshold: Some(limits.face_to_frame_ratio_max),
        reasons: reasons([(ratio.is_none(), "no_face"), (near, "face_too_near")]),
    }
}

fn not_spoof(evidence: &VideoEvidence, limits: &Thresholds) -> Check {
    let judged = evidence.samples.iter().any(|sample| sample.liveness.is_some());
    let passed = judged && evidence.not_spoof_confidence >= limits.not_spoof_min;
    Check {
        name: CheckName::NotSpoof,
        passed,
        score: judged.then_some(evidence.not_spoof_confidence),
        threshold: Some(limits.not_spoof_min),
        reasons: reasons([(!judged, "no_face"), (judged && !passed, "presentation_attack_suspected")]),
    }
}

/// The documented breakdown has no member for the number of faces: a second face throughout is a change as well.
fn face_no_change(evidence: &VideoEvidence, exchanged: bool, limits: &Thresholds) -> Check {
    let recognised = evidence.samples.iter().any(|sample| sample.drift.is_some());
    let changed = recognised && evidence.face_sameness < limits.face_sameness_min;
    let crowded = evidence.single_face_in_frames < limits.single_face_min;
    Check {
        name: CheckName::FaceNoChange,
        passed: recognised && !changed && !crowded && !exchanged,
        score: Some(evidence.face_sameness),
        threshold: Some(limits.face_sameness_min),
        reasons: reasons([
            (!recognised, "no_face"),
            (changed, "face_changes_or_is_lost"),
            (exchanged, "another_face_for_a_while"),
            (recognised && crowded, "not_one_face_throughout"),
        ]),
    }
}

fn face_match(evidence: &VideoEvidence, limits: &Thresholds) -> Check {
    let distance = evidence.face_distance_avg;
    let far = distance.is_some_and(|distance| distance > limits.distance_max);
    let no_card_face = evidence.id_card.face.is_none();
    Check {
        name: CheckName::FaceMatch,
        passed: distance.is_some() && !far,
        score: distance,
        threshold: Some(limits.distance_max),
        reasons: reasons([
            (no_card_face, "no_face_on_id_card"),
            (!no_card_face && distance.is_none(), "no_face"),
            (far, "different_person"),
        ]),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use countersign_shared::domain::{
        BehaviourEvidence, BoundingBox, Face, FrameSample, LivenessEvidence, Point, SpeechEvidence,
        StillEvidence, VideoInfo,
    };

    use super::*;

    pub(in crate::pipeline::video) const LIMITS: Thresholds = Thresholds {
        distance_max: 0.9,
        face_sameness_min: 0.9,
        not_spoof_min: 0.9,
        id_card_not_spoof_min: 0.1,
        face_to_frame_ratio_max: 0.7,
        single_face_min: 0.9,
        speech_score_min: -10.0,
        speech_margin_min: -2.0,
        voice_seconds_min: 1.0,
        digit_mass_min: 0.08,
        mouth_movement_min: 0.055,
        lip_agreement_min: 0.25,
        repetition_min: 0.15,
        eye_distance_min: 20.0,
        sharpness_min: 0.12,
        exposure_min: 0.3,
        yaw_max: 65.0,
        mouth_visibility_min: 0.37,
    };

    fn good() -> VideoEvidence {
        let liveness = LivenessEvidence { confidence: 0.95, scores: Vec::new() };
        let bounds = BoundingBox { x: 10.0, y: 10.0, width: 60.0, height: 80.0 };
        let face = Face {
            bounds,
            score: 0.9,
            points: [Point { x: 1.0, y: 1.0 }; 5],
            turned: 0,
            landmarks: Vec::new(),
        };
        VideoEvidence {
            id_card: StillEvidence {
                width: 640,
                height: 400,
                num_faces: 1,
                face: Some(face),
                liveness: Some(liveness.clone()),
                quality: None,
            },
            video: VideoInfo { fps: 30, frames: 105, width: 640, height: 480, duration_seconds: 3.5 },
            face_distance_avg: Some(0.6),
            face_sameness: 1.0,
            single_face_in_frames: 1.0,
            largest_face_to_frame_ratio: 0.4,
            not_spoof_confidence: 0.95,
            speech: SpeechEvidence {
                language: "en-US".parse().expect("a language"),
                expected: Some("123456".parse().expect("digits")),
                passed: true,
                voice_seconds: 2.0,
                digit_mass: Some(0.9),
                score: Some(-2.0),
                margin: Some(0.0),
                digit_scores: Vec::new(),
                digit_times: Vec::new(),
                transcription: None,
                reasons: Vec::new(),
            },
            behaviour: Some(BehaviourEvidence {
                mouth_movement: Some(0.2),
                lip_agreement: Some(0.5),
                repetition: Some(0.8),
                blinks: Some(1),
                gestures: Vec::new(),
            }),
            samples: vec![FrameSample {
                frame: 0,
                seconds: 0.0,
                num_faces: 1,
                bounds: Some(bounds),
                distance: Some(0.6),
                drift: Some(0.1),
                liveness: Some(liveness),
            }],
        }
    }

    /// Which checks fail, each with its reasons.
    fn failing(evidence: &VideoEvidence, exchanged: bool) -> Vec<(CheckName, String)> {
        let all = checks(evidence, exchanged, None, &LIMITS);
        assert_eq!(all.len(), 8);
        all.into_iter()
            .filter(|check| !check.passed)
            .map(|check| (check.name, check.reasons.join(",")))
            .collect()
    }

    #[test]
    fn a_good_clip_passes_every_check() {
        assert_eq!(failing(&good(), false), Vec::new());
    }

    #[test]
    fn each_limit_fails_its_own_check_alone() {
        let failing_after = |spoil: fn(&mut VideoEvidence)| {
            let mut evidence = good();
            spoil(&mut evidence);
            failing(&evidence, false)
        };
        let only = |name: CheckName, reason: &str| vec![(name, reason.to_owned())];
        assert_eq!(
            failing_after(|evidence| evidence.largest_face_to_frame_ratio = 0.71),
            only(CheckName::FaceToFrameRatio, "face_too_near")
        );
        assert_eq!(
            failing_after(|evidence| evidence.not_spoof_confidence = 0.89),
            only(CheckName::NotSpoof, "presentation_attack_suspected")
        );
        assert_eq!(
            failing_after(|evidence| evidence.face_sameness = 0.89),
            only(CheckName::FaceNoChange, "face_changes_or_is_lost")
        );
        assert_eq!(
            failing_after(|evidence| evidence.single_face_in_frames = 0.5),
            only(CheckName::FaceNoChange, "not_one_face_throughout")
        );
        assert_eq!(
            failing_after(|evidence| evidence.face_distance_avg = Some(0.91)),
            only(CheckName::FaceMatch, "different_person")
        );
        assert_eq!(
            failing_after(|evidence| evidence.speech.passed = false),
            only(CheckName::AudioChallenge, "")
        );
    }

    #[test]
    fn a_challenge_fails_its_own_check_alone_unless_it_was_accepted() {
        for (standing, reason) in [
            (Standing::Accepted, None),
            (Standing::Expired, Some("challenge_expired")),
            (Standing::Used, Some("challenge_used")),
            (Standing::Unknown, Some("challenge_unknown")),
            (Standing::Mismatch, Some("challenge_mismatch")),
        ] {
            let all = checks(&good(), false, Some(standing), &LIMITS);
            let failed: Vec<_> = all.iter().filter(|check| !check.passed).collect();
            assert_eq!((all.len(), failed.len()), (9, usize::from(reason.is_some())), "{standing:?}");
            assert!(failed.iter().all(|check| check.name == CheckName::Challenge));
            assert_eq!(all[8].reasons, Vec::from_iter(reason.map(str::to_owned)));
        }
    }

    #[test]
    fn an_exchange_fails_whatever_the_fraction() {
        assert_eq!(
            failing(&good(), true),
            vec![(CheckName::FaceNoChange, "another_face_for_a_while".to_owned())]
        );
    }

    #[test]
    fn a_clip_without_a_face_fails_what_needs_one() {
        let mut evidence = good();
        evidence.samples.clear();
        evidence.face_distance_avg = None;
        evidence.face_sameness = 0.0;
        evidence.single_face_in_frames = 0.0;
        evidence.not_spoof_confidence = 0.0;
        evidence.largest_face_to_frame_ratio = 0.0;
        evidence.behaviour = Some(BehaviourEvidence {
            mouth_movement: None,
            lip_agreement: None,
            repetition: None,
            blinks: None,
            gestures: Vec::new(),
        });
        let names: Vec<CheckName> = failing(&evidence, false).into_iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                CheckName::FaceToFrameRatio,
                CheckName::NotSpoof,
                CheckName::FaceNoChange,
                CheckName::FaceMatch,
                CheckName::MouthMovement,
            ]
        );
    }
}
