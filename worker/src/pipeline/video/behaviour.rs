//! The conditions on what a face does in a video.

use countersign_shared::domain::{BehaviourEvidence, Check, CheckName, Thresholds};

use crate::pipeline::decide::reasons;

/// What a still, dubbed or looped face can't do; nothing, of a profile whose models don't measure it. Where no voice was
/// heard, mouth and sound can't disagree, and the digits have failed; where too little moves, nothing is repeated, and the
/// mouth has failed.
pub(super) fn checks(found: Option<&BehaviourEvidence>, limits: &Thresholds) -> Vec<Check> {
    let Some(found) = found else { return Vec::new() };
    let BehaviourEvidence { mouth_movement: movement, lip_agreement: agreement, repetition, .. } = *found;
    let check = |name, score: Option<f64>, threshold, passed, reasons| Check {
        name,
        passed,
        score,
        threshold: Some(threshold),
        reasons,
    };
    let moves = movement.is_some_and(|movement| movement >= limits.mouth_movement_min);
    let agrees = agreement.is_none_or(|agreement| agreement >= limits.lip_agreement_min);
    let is_new = repetition.is_none_or(|difference| difference >= limits.repetition_min);
    vec![
        check(
            CheckName::MouthMovement,
            movement,
            limits.mouth_movement_min,
            moves,
            reasons([
                (movement.is_none(), "face_seen_too_briefly"),
                (movement.is_some() && !moves, "mouth_does_not_move"),
            ]),
        ),
        check(
            CheckName::LipAgreement,
            agreement,
            limits.lip_agreement_min,
            agrees,
            reasons([(agreement.is_none(), "no_voice"), (!agrees, "mouth_and_sound_disagree")]),
        ),
        check(
            CheckName::NoRepetition,
            repetition,
            limits.repetition_min,
            is_new,
            reasons([(!is_new, "video_repeats_itself")]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::video::checks::tests::LIMITS;

    fn failing(movement: Option<f64>, agreement: Option<f64>, repetition: Option<f64>) -> Vec<String> {
        let found = BehaviourEvidence {
            mouth_movement: movement,
            lip_agreement: agreement,
            repetition,
            blinks: Some(0),
            gestures: Vec::new(),
        };
        let failed = checks(Some(&found), &LIMITS).into_iter().filter(|check| !check.passed);
        failed.map(|check| check.reasons.join(",")).collect()
    }

    #[test]
    fn a_face_that_speaks_passes() {
        assert!(failing(Some(0.2), Some(0.5), Some(0.8)).is_empty());
    }

    #[test]
    fn each_attack_fails_for_its_own_reason() {
        assert_eq!(failing(Some(0.02), Some(0.5), None), ["mouth_does_not_move"]);
        assert_eq!(failing(Some(0.2), Some(0.1), Some(0.8)), ["mouth_and_sound_disagree"]);
        assert_eq!(failing(Some(0.2), Some(0.5), Some(0.04)), ["video_repeats_itself"]);
    }

    #[test]
    fn without_a_voice_the_mouth_agrees_with_it() {
        assert!(failing(Some(0.2), None, Some(0.8)).is_empty());
    }

    #[test]
    fn a_face_that_was_hardly_seen_does_not_pass() {
        assert_eq!(failing(None, None, None), ["face_seen_too_briefly"]);
    }
}
