//! The answer of `/videoverify`.

use countersign_shared::domain::{self, CheckName, Report, VideoEvidence, VideoInfo};
use serde::Serialize;
use utoipa::ToSchema;

use super::predictions::{
    Alternative, Comparison, ModelInput, ModelOutput, Transcription, TranscriptionResult, Verification,
    VideoShape,
};
use super::{failed, passed};

/// The five conditions of the verdict.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "the documented answer is five booleans")]
#[schema(as = VideoBreakdown)]
pub(super) struct Breakdown {
    /// The six digits were spoken.
    audio_challenge_passed: bool,
    /// The face is never too near.
    face_to_frame_width_ratio_passed: bool,
    /// The face is a living person's, and the card's is its print.
    not_spoof_passed: bool,
    /// The same single face throughout.
    video_face_no_change_passed: bool,
    /// That face is the card's.
    video_face_to_id_face_passed: bool,
}

impl Breakdown {
    /// The documented five must account for every check, or `status`, which is their AND, could pass what the
    /// verdict rejects: frames with several faces count as a change of face; a card that is no print, a mouth that is still or
    /// does not speak, and a clip that repeats itself as a spoof; digits of a challenge that was not open as digits that
    /// were not spoken.
    fn of(report: &Report) -> Self {
        Self {
            audio_challenge_passed: passed(report, CheckName::AudioChallenge)
                && !failed(report, CheckName::Challenge),
            face_to_frame_width_ratio_passed: passed(report, CheckName::FaceToFrameRatio),
            not_spoof_passed: passed(report, CheckName::NotSpoof)
                && ![
                    CheckName::IdCardNotSpoof,
                    CheckName::MouthMovement,
                    CheckName::LipAgreement,
                    CheckName::NoRepetition,
                ]
                .into_iter()
                .any(|name| failed(report, name)),
            video_face_no_change_passed: passed(report, CheckName::FaceNoChange)
                && !failed(report, CheckName::SingleFace),
            video_face_to_id_face_passed: passed(report, CheckName::FaceMatch),
        }
    }

    const fn all(&self) -> bool {
        self.audio_challenge_passed
            && self.face_to_frame_width_ratio_passed
            && self.not_spoof_passed
            && self.video_face_no_change_passed
            && self.video_face_to_id_face_passed
    }
}

pub(super) fn predictions(
    report: &Report,
    evidence: &VideoEvidence,
    language_code: Option<&str>,
) -> Comparison<Breakdown> {
    let speech = &evidence.speech;
    let input = ModelInput {
        audiochallenge: speech.expected.map(|digits| digits.to_string()),
        language_code: Some(language_code.unwrap_or_else(|| speech.language.tag()).to_owned()),
        video: shape(&evidence.video),
    };
    let breakdown = Breakdown::of(report);
    let output = ModelOutput {
        audio_challenge_passed: breakdown.audio_challenge_passed,
        face_distance_avg: evidence.face_distance_avg,
        face_sameness: evidence.face_sameness,
        largest_face_to_frame_ratio: evidence.largest_face_to_frame_ratio,
        non_spoof_detected: evidence.not_spoof_confidence,
        single_face_in_frames: evidence.single_face_in_frames,
        transcription: Some(transcription(speech.transcription.as_ref())),
    };
    let status = breakdown.all();
    Comparison::new(report, input, output, Verification { breakdown, status })
}

const fn shape(video: &VideoInfo) -> VideoShape {
    VideoShape {
        fps: Some(video.fps),
        frames: Some(video.frames),
        height: Some(video.height),
        width: Some(video.width),
    }
}

/// Nothing heard is an empty list of results, so that the member keeps its type.
fn transcription(heard: Option<&domain::Transcription>) -> Transcription {
    let results = heard
        .map(|heard| TranscriptionResult {
            alternatives: vec![Alternative {
                confidence: heard.confidence,
                transcript: heard.transcript.clone(),
            }],
        })
        .into_iter()
        .collect();
    Transcription { results }
}
