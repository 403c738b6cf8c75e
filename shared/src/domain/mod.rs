//! The vocabulary: what a verification is, what can be said of it, and what can go wrong.

mod challenge;
mod id;
mod language;
mod media;
mod problem;
mod report;
mod schema;
mod summary;
mod tenant;
mod time;
mod verification;
mod webhook;

pub use challenge::{Digits, InvalidDigits, decimal_value};
pub use id::{DeliveryId, InvalidId, KeyId, TenantId, VerificationId, WebhookId};
pub use language::{LANGUAGES, Language, UnsupportedLanguage};
pub use media::{Media, MediaFormat, MediaRole, SNIFF_BYTES};
pub use problem::{Failure, ProblemCode};
pub use report::{
    BoundingBox, Check, CheckName, Evidence, Face, FrameSample, LivenessEvidence, ModelUsed, PhotoEvidence,
    Point, REPORT_VERSION, Report, SpeechEvidence, SpoofEvidence, StillEvidence, Thresholds, Transcription,
    VideoEvidence, VideoInfo,
};
pub use summary::Summary;
pub use tenant::{ApiKey, ApiKeyInfo, InvalidApiKey, Scope};
pub use time::Timestamp;
pub use verification::{
    IllegalTransition, Kind, Lane, LaneShare, NewVerification, Priority, REQUEST_VERSION, Request, State,
    Transition, Verdict, Verification,
};
pub use webhook::{
    AllowedTarget, Delivery, DeliveryAttempt, DeliveryError, DeliveryState, DisabledReason, Event, EventData,
    EventType, InvalidSecret, InvalidTarget, InvalidUrl, LONGEST_ATTEMPT_LOG, NewWebhookEndpoint, Recipient,
    RefusedTarget, Subject, Targets, WebhookEndpoint, WebhookEndpointChange, WebhookSecret, WebhookSecrets,
    WebhookUrl, is_public,
};
