//! The vocabulary: what a verification is, what can be said of it, and what can go wrong.

mod challenge;
mod id;
mod language;
mod media;
mod problem;
mod report;
mod tenant;
mod time;
mod verification;

pub use challenge::{Digits, InvalidDigits, decimal_value};
pub use id::{InvalidId, KeyId, TenantId, VerificationId};
pub use language::{LANGUAGES, Language, UnsupportedLanguage};
pub use media::{Media, MediaFormat, MediaRole, SNIFF_BYTES};
pub use problem::{Failure, ProblemCode};
pub use report::{
    BoundingBox, Check, CheckName, Evidence, Face, FrameSample, LivenessEvidence, ModelUsed, PhotoEvidence,
    Point, REPORT_VERSION, Report, SpeechEvidence, SpoofEvidence, StillEvidence, Thresholds, Transcription,
    VideoEvidence, VideoInfo,
};
pub use tenant::{ApiKey, ApiKeyInfo, InvalidApiKey, Scope};
pub use time::Timestamp;
pub use verification::{
    IllegalTransition, Kind, Lane, LaneShare, NewVerification, Priority, REQUEST_VERSION, Request, State,
    Transition, Verdict, Verification,
};
