//! The vocabulary: what a verification is, what can be said of it, and what can go wrong.

mod audit;
mod challenge;
mod change;
mod id;
mod idempotency;
mod lane;
mod language;
mod media;
mod problem;
mod quality;
mod report;
mod review;
mod schema;
mod summary;
mod tenant;
mod time;
mod usage;
mod verification;
mod webhook;

pub use audit::{Action, Actor, AuditEntry, AuditFilter, AuditLine, Erased};
pub use challenge::{
    Challenge, ChallengeState, Digits, InvalidDigits, NamedChallenge, Standing, decimal_value,
};
pub use change::{KeyChange, LimitsChange, Patch, TenantChange};
pub use id::{AuditId, ChallengeId, DeliveryId, InvalidId, KeyId, TenantId, VerificationId, WebhookId};
pub use idempotency::{
    Completion, Fingerprint, IdempotencyKey, InvalidIdempotencyKey, KeptAnswer, Reservation,
};
pub use lane::{Lane, LaneShare, Priority};
pub use language::{LANGUAGES, Language, UnsupportedLanguage};
pub use media::{Media, MediaFormat, MediaRole, SNIFF_BYTES};
pub use problem::{Failure, ProblemCode};
pub use quality::FaceQuality;
pub use report::{
    BehaviourEvidence, BoundingBox, Check, CheckName, Evidence, Face, FaceGesture, FrameSample,
    LivenessEvidence, ModelUsed, PhotoEvidence, Point, REPORT_VERSION, Report, SpeechEvidence, SpoofEvidence,
    StillEvidence, Thresholds, TimeSpan, Transcription, VideoEvidence, VideoInfo,
};
pub use review::{Decision, NewReview, Review};
pub use summary::Summary;
pub use tenant::{ApiKey, ApiKeyInfo, Credential, InvalidApiKey, KeyLimits, RateLimit, Scope, Tenant};
pub use time::{InvalidTime, Timestamp};
pub use usage::{InvalidMonth, Month, Usage};
pub use verification::{
    IllegalTransition, Kind, NewVerification, REQUEST_VERSION, Request, State, Transition, Verdict,
    Verification,
};
pub use webhook::{
    AllowedTarget, Delivery, DeliveryAttempt, DeliveryError, DeliveryState, DisabledReason, Event, EventData,
    EventType, InvalidSecret, InvalidTarget, InvalidUrl, LONGEST_ATTEMPT_LOG, NewWebhookEndpoint, Recipient,
    RefusedTarget, Subject, Targets, WebhookEndpoint, WebhookEndpointChange, WebhookSecret, WebhookSecrets,
    WebhookUrl, is_public,
};
