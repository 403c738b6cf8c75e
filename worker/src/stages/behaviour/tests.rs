use countersign_shared::domain::Point;

use super::*;

const LENGTH: f64 = 4.0;
const SAMPLE_RATE: f64 = 16_000.0;

/// How loud someone speaks: syllables of uneven lengths, with pauses, another order for each `seed`.
fn loudness(seconds: f64, seed: u32) -> f64 {
    let syllable = (seconds / 0.31) as u32;
    let said = (syllable + 1).wrapping_mul(2_654_435_761).wrapping_add(seed.wrapping_mul(40_503)) >> 13 & 3;
    let within = (seconds % 0.31) / 0.31;
    if said == 0 { 0.0 } else { (std::f64::consts::PI * within).sin() * (0.4 + 0.2 * f64::from(said)) }
}

/// A hum with overtones.
fn voice(seed: u32) -> Sound {
    let count = (LENGTH * SAMPLE_RATE) as usize;
    let samples: Vec<f32> = (0..count)
        .map(|index| {
            let seconds = index as f64 / SAMPLE_RATE;
            let tones: f64 = (1..20)
                .map(|overtone| (f64::from(overtone) * 900.0 * seconds).sin() / f64::from(overtone))
                .sum();
            (tones * loudness(seconds, seed)) as f32
        })
        .collect();
    Sound::of(&samples)
}

/// A face at 15 frames a second that opens its mouth so far.
fn face(mouth: impl Fn(f64) -> f64) -> Vec<Gesture> {
    let sway = |seconds: f64| (seconds * 1.3).sin() * 12.0 + (seconds * 2.9).sin() * 6.0;
    (0..(LENGTH * 15.0) as u32)
        .map(|frame| {
            let seconds = f64::from(frame) / 15.0;
            Gesture {
                seconds,
                mouth: mouth(seconds) * 100.0,
                lips: 20.0 + mouth(seconds) * 100.0,
                eye_opening: 0.3,
                eye_distance: 100.0,
                centre: Point { x: 300.0 + sway(seconds), y: 200.0 + sway(seconds * 0.7) },
            }
        })
        .collect()
}

fn speaking(seed: u32) -> Vec<Gesture> {
    face(|seconds| 0.02 + 0.2 * loudness(seconds, seed))
}

#[test]
fn a_mouth_that_follows_the_sound_agrees_with_it() {
    let agreement = judge(&speaking(1), Some(&voice(1))).lip_agreement.expect("both are there");
    assert!(agreement > 0.5, "{agreement}");
}

#[test]
fn another_voice_does_not_agree() {
    for (seen, heard) in [(1, 2), (2, 3), (3, 1)] {
        let agreement = judge(&speaking(seen), Some(&voice(heard))).lip_agreement.expect("both are there");
        assert!(agreement < 0.25, "{seen} {heard}: {agreement}");
    }
}

#[test]
fn a_still_face_does_not_move_its_mouth() {
    let still = judge(&face(|_| 0.05), Some(&voice(1)));
    assert!(still.mouth_movement.expect("seen for long enough") < 0.01, "{still:?}");
    let moved = judge(&speaking(1), None);
    assert!(moved.mouth_movement.expect("seen for long enough") > 0.1);
    assert_eq!(moved.lip_agreement, None);
}

#[test]
fn a_loop_repeats_itself_forwards_and_backwards() {
    let once = judge(&speaking(1), None).repetition.expect("it moves");
    assert!(once > 0.2, "{once}");
    let frames = speaking(1);
    let piece = &frames[..24];
    let forwards: Vec<Gesture> = piece.iter().cycle().take(frames.len()).copied().collect();
    let to_and_fro: Vec<Gesture> =
        piece.iter().chain(piece.iter().rev()).cycle().take(frames.len()).copied().collect();
    for mut looped in [forwards, to_and_fro] {
        for (gesture, frame) in looped.iter_mut().zip(&frames) {
            gesture.seconds = frame.seconds;
        }
        let repetition = judge(&looped, None).repetition.expect("it moves");
        assert!(repetition < 0.1, "{repetition}");
    }
}

#[test]
fn nothing_is_said_of_a_moment() {
    let moment = judge(&speaking(1)[..10], Some(&voice(1)));
    assert_eq!((moment.mouth_movement, moment.lip_agreement, moment.repetition), (None, None, None));
    assert_eq!(moment.gestures.len(), 10);
    assert!(judge(&[], None).gestures.is_empty());
}
