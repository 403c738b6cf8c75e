//! A report of each kind.

use countersign_shared::domain::{
    BehaviourEvidence, BoundingBox, Check, CheckName, Evidence, Face, FaceGesture, FaceQuality, FrameSample,
    Kind, LivenessEvidence, ModelUsed, PhotoEvidence, Point, REPORT_VERSION, Report, SpeechEvidence,
    SpoofEvidence, StillEvidence, Thresholds, TimeSpan, Timestamp, Transcription, Verdict, VideoEvidence,
    VideoInfo,
};

use super::{CREATED_AT, ENDED_AT};

const THRESHOLDS: Thresholds = Thresholds {
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

pub(super) fn photo() -> Report {
    let checks = vec![
        check(CheckName::FaceMatch, 0.57, 0.9),
        check(CheckName::NotSpoof, 0.98, 0.9),
        check(CheckName::IdCardNotSpoof, 0.65, 0.1),
        check(CheckName::SingleFace, 1.0, 1.0),
        check(CheckName::FaceToFrameRatio, 0.44, 0.7),
        check(CheckName::PhotoQuality, 3.3, 1.0),
    ];
    let evidence = PhotoEvidence {
        id_card: still(1012, 96.0, 0.65),
        photo: still(1050, 464.0, 0.98),
        distance: Some(0.57),
    };
    report(Kind::Photo, checks, Evidence::Photo(evidence))
}

pub(super) fn video() -> Report {
    let checks = vec![
        check(CheckName::FaceMatch, 0.55, 0.9),
        check(CheckName::NotSpoof, 0.98, 0.9),
        check(CheckName::IdCardNotSpoof, 0.65, 0.1),
        check(CheckName::SingleFace, 1.0, 0.9),
        check(CheckName::FaceToFrameRatio, 0.33, 0.7),
        check(CheckName::FaceNoChange, 0.99, 0.9),
        check(CheckName::AudioChallenge, -1.2, -10.0),
        check(CheckName::MouthMovement, 0.18, 0.055),
        check(CheckName::LipAgreement, 0.46, 0.25),
        check(CheckName::NoRepetition, 0.71, 0.15),
    ];
    let speech = SpeechEvidence {
        language: "th-TH".parse().expect("an accepted language; this is a bug"),
        expected: "049281".parse().ok(),
        passed: true,
        voice_seconds: 2.6,
        digit_mass: Some(0.91),
        score: Some(-1.2),
        margin: Some(0.0),
        digit_scores: vec![-0.1, -0.2, -0.3, -0.1, -0.3, -0.2],
        digit_times: (0..6_u8)
            .map(f64::from)
            .map(|at| TimeSpan { start: at * 0.5 + 0.4, end: at * 0.5 + 0.7 })
            .collect(),
        transcription: Some(Transcription { confidence: 0.95, transcript: "0 4 9 2 8 1".to_owned() }),
        reasons: Vec::new(),
    };
    let sample = FrameSample {
        frame: 12,
        seconds: 0.4,
        num_faces: 1,
        bounds: Some(bounds(214.0)),
        distance: Some(0.54),
        drift: Some(0.08),
        liveness: Some(liveness(0.98)),
    };
    let behaviour = BehaviourEvidence {
        mouth_movement: Some(0.18),
        lip_agreement: Some(0.46),
        repetition: Some(0.71),
        blinks: Some(1),
        gestures: vec![FaceGesture { seconds: 0.467, mouth_opening: 0.112, eye_opening: 0.304 }],
    };
    let evidence = VideoEvidence {
        id_card: still(1012, 96.0, 0.65),
        video: VideoInfo { fps: 30, frames: 105, width: 640, height: 480, duration_seconds: 3.5 },
        face_distance_avg: Some(0.55),
        face_sameness: 0.99,
        single_face_in_frames: 1.0,
        largest_face_to_frame_ratio: 0.33,
        not_spoof_confidence: 0.98,
        speech,
        behaviour: Some(behaviour),
        samples: vec![sample],
    };
    report(Kind::Video, checks, Evidence::Video(Box::new(evidence)))
}

/// Rejected: the face nearly fills the frame.
pub(super) fn spoof() -> Report {
    let too_near = Check {
        passed: false,
        reasons: vec!["face_too_near".to_owned()],
        ..check(CheckName::FaceToFrameRatio, 0.9, 0.7)
    };
    let checks = vec![
        check(CheckName::NotSpoof, 0.98, 0.9),
        check(CheckName::SingleFace, 1.0, 1.0),
        too_near,
        check(CheckName::PhotoQuality, 3.3, 1.0),
    ];
    let evidence = SpoofEvidence { photo: still(1050, 945.0, 0.98) };
    let report = report(Kind::Spoof, checks, Evidence::Spoof(evidence));
    Report { verdict: Verdict::Rejected, ..report }
}

fn report(kind: Kind, checks: Vec<Check>, evidence: Evidence) -> Report {
    Report {
        version: REPORT_VERSION,
        kind,
        verdict: Verdict::Passed,
        checks,
        started_at: Timestamp::from_millis(CREATED_AT + 40),
        ended_at: Timestamp::from_millis(ENDED_AT),
        thresholds: THRESHOLDS,
        models: vec![ModelUsed {
            name: "fr_liveness".to_owned(),
            sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
        }],
        evidence,
    }
}

fn check(name: CheckName, score: f64, threshold: f64) -> Check {
    Check { name, passed: true, score: Some(score), threshold: Some(threshold), reasons: Vec::new() }
}

fn still(width: u32, face_width: f64, confidence: f64) -> StillEvidence {
    let bounds = bounds(face_width);
    let points = [(0.25, 0.5), (0.75, 0.5), (0.5, 0.625), (0.375, 0.75), (0.625, 0.75)]
        .map(|(x, y)| Point { x: bounds.x + x * bounds.width, y: bounds.y + y * bounds.height });
    StillEvidence {
        width,
        height: 800,
        num_faces: 1,
        face: Some(Face { bounds, score: 0.91, points, turned: 0, landmarks: Vec::new() }),
        liveness: Some(liveness(confidence)),
        quality: Some(FaceQuality {
            eye_distance: face_width / 2.0,
            sharpness: 0.41,
            exposure: 0.98,
            yaw: -6.3,
            pitch: 2.8,
            mouth_visibility: Some(0.998),
        }),
    }
}

const fn bounds(width: f64) -> BoundingBox {
    BoundingBox { x: 80.0, y: 120.0, width, height: 1.25 * width }
}

fn liveness(confidence: f64) -> LivenessEvidence {
    LivenessEvidence { confidence, scores: vec![("fr_liveness@2.7".to_owned(), 0.99)] }
}
