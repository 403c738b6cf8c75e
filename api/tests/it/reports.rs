//! Reports whose numbers are those of the documented sample responses.

use countersign_shared::domain::{
    BoundingBox, Check, CheckName, Evidence, Face, Kind, LivenessEvidence, PhotoEvidence, Point,
    REPORT_VERSION, Report, SpeechEvidence, SpoofEvidence, StillEvidence, Thresholds, Timestamp,
    Transcription, Verdict, VideoEvidence, VideoInfo,
};

pub(crate) const THRESHOLDS: Thresholds = Thresholds {
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

/// The report of that kind, as in the documentation.
pub(crate) fn sample(kind: Kind) -> Report {
    match kind {
        Kind::Photo => photo(),
        Kind::Video => video(),
        Kind::Spoof => spoof(),
    }
}

pub(crate) fn photo() -> Report {
    let evidence = PhotoEvidence {
        id_card: still(0.096_679_687_5, 0.65),
        photo: still(0.441_904_761_904_761_9, 1.0),
        distance: Some(0.568_270_266_056_060_8),
    };
    let checks = [
        CheckName::FaceMatch,
        CheckName::NotSpoof,
        CheckName::IdCardNotSpoof,
        CheckName::SingleFace,
        CheckName::FaceToFrameRatio,
    ];
    report(Kind::Photo, &checks, Evidence::Photo(evidence), 1_534_534_645_082, 1_534_534_646_186)
}

pub(crate) fn video() -> Report {
    let speech = SpeechEvidence {
        language: "th-TH".parse().expect("an accepted language"),
        expected: Some("123457".parse().expect("six digits")),
        passed: true,
        voice_seconds: 2.5,
        digit_mass: Some(0.9),
        score: Some(-1.0),
        margin: Some(0.0),
        digit_scores: vec![-0.1; 6],
        digit_times: Vec::new(),
        transcription: Some(Transcription {
            confidence: 0.950_640_26,
            transcript: "1 2 3 4 5 7 ".to_owned(),
        }),
        reasons: Vec::new(),
    };
    let evidence = VideoEvidence {
        id_card: still(0.1, 0.65),
        video: VideoInfo { fps: 30, frames: 105, width: 640, height: 480, duration_seconds: 3.5 },
        face_distance_avg: Some(0.553_474_428_256_352_7),
        face_sameness: 0.990_476_190_476_190_5,
        single_face_in_frames: 1.0,
        largest_face_to_frame_ratio: 0.334_375,
        not_spoof_confidence: 1.0,
        speech,
        behaviour: None,
        samples: Vec::new(),
    };
    let checks = [
        CheckName::FaceMatch,
        CheckName::NotSpoof,
        CheckName::IdCardNotSpoof,
        CheckName::SingleFace,
        CheckName::FaceToFrameRatio,
        CheckName::FaceNoChange,
        CheckName::AudioChallenge,
    ];
    let evidence = Evidence::Video(Box::new(evidence));
    report(Kind::Video, &checks, evidence, 1_534_534_697_311, 1_534_534_753_172)
}

/// Rejected: the face nearly fills the frame.
pub(crate) fn spoof() -> Report {
    let checks = [CheckName::NotSpoof, CheckName::SingleFace, CheckName::FaceToFrameRatio];
    let evidence = Evidence::Spoof(SpoofEvidence { photo: still(0.9, 1.0) });
    let mut report = report(Kind::Spoof, &checks, evidence, 1_534_534_645_000, 1_534_534_645_500);
    reject(&mut report, CheckName::FaceToFrameRatio);
    report
}

/// The check fails, and with it the verdict.
pub(crate) fn reject(report: &mut Report, name: CheckName) {
    for check in report.checks.iter_mut().filter(|check| check.name == name) {
        check.passed = false;
    }
    report.verdict = Verdict::Rejected;
}

/// A picture without a face.
pub(crate) fn faceless() -> StillEvidence {
    StillEvidence::faceless(1000, 800)
}

fn still(ratio: f64, confidence: f64) -> StillEvidence {
    let width = 1000_u32;
    let bounds = BoundingBox { x: 0.0, y: 0.0, width: ratio * f64::from(width), height: 100.0 };
    let points = [Point { x: 1.0, y: 1.0 }; 5];
    StillEvidence {
        width,
        height: 800,
        num_faces: 1,
        face: Some(Face { bounds, score: 0.99, points, turned: 0, landmarks: Vec::new() }),
        liveness: Some(LivenessEvidence { confidence, scores: Vec::new() }),
        quality: None,
    }
}

fn report(kind: Kind, checks: &[CheckName], evidence: Evidence, start: i64, end: i64) -> Report {
    let passed = |name: &CheckName| Check {
        name: *name,
        passed: true,
        score: None,
        threshold: None,
        reasons: Vec::new(),
    };
    Report {
        version: REPORT_VERSION,
        kind,
        verdict: Verdict::Passed,
        checks: checks.iter().map(passed).collect(),
        started_at: Timestamp::from_millis(start),
        ended_at: Timestamp::from_millis(end),
        thresholds: THRESHOLDS,
        models: Vec::new(),
        evidence,
    }
}
