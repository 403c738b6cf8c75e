//! The closed list of what can go wrong: one code, one HTTP status, one title each.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! problems {
    ($($(#[$doc:meta])* $variant:ident, $code:literal, $status:literal, $title:literal;)*) => {
        /// A public error code, shared by v1.1, v2 and failed verifications.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProblemCode {
            $($(#[$doc])* #[serde(rename = $code)] $variant,)*
        }

        impl ProblemCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code on the wire.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status),* }
            }

            /// One sentence for a person.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),* }
            }
        }
    };
}

problems! {
    MissingField, "MISSING_FIELD", 400, "A required field is missing.";
    InvalidField, "INVALID_FIELD", 400, "A field has a value that is not accepted.";
    InvalidRequest, "INVALID_REQUEST", 400, "The request is not well-formed multipart/form-data.";
    UnsupportedLanguage, "UNSUPPORTED_LANGUAGE", 400, "The language code is not on the accepted list.";
    InvalidApiKey, "INVALID_API_KEY", 401, "The API key is missing, unknown, revoked or expired.";
    Forbidden, "FORBIDDEN", 403, "The API key does not have the scope for this operation, or its tenant is suspended.";
    NotFound, "NOT_FOUND", 404, "There is no such resource.";
    MethodNotAllowed, "METHOD_NOT_ALLOWED", 405, "The resource does not have this method.";
    Conflict, "CONFLICT", 409, "The request conflicts with the resource's state.";
    MediaTooLarge, "MEDIA_TOO_LARGE", 413, "A file is larger than the limit.";
    ImageTooLarge, "IMAGE_TOO_LARGE", 413, "An image has more pixels than the limit.";
    UnsupportedMedia, "UNSUPPORTED_MEDIA", 415, "A file is not of a format that is accepted for its part.";
    MediaUnreadable, "MEDIA_UNREADABLE", 422, "A file is damaged or can't be decoded.";
    VideoTooLong, "VIDEO_TOO_LONG", 422, "The video is longer than the limit.";
    VideoWithoutAudio, "VIDEO_WITHOUT_AUDIO", 422, "The video has no sound in which digits could be spoken.";
    RateLimited, "RATE_LIMITED", 429, "Too many requests; try again after the time in Retry-After.";
    QuotaExceeded, "QUOTA_EXCEEDED", 429, "The key's verifications of this month are used up; Retry-After is its end.";
    Internal, "INTERNAL", 500, "Something failed on our side; the request id names the log entry.";
    QueueFull, "QUEUE_FULL", 503, "Too much work is waiting; try again after the time in Retry-After.";
    Unavailable, "UNAVAILABLE", 503, "The service is starting, stopping or waiting for a dependency.";
    TimedOut, "TIMED_OUT", 504, "The result was not ready in time; the verification goes on.";
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.code())
    }
}

/// Why a verification has no report: a public code and a sentence without personal data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, thiserror::Error)]
#[error("{code}: {detail}")]
#[schema(example = json!({"code": "MEDIA_UNREADABLE", "detail": "the file in `photo` can't be decoded"}))]
pub struct Failure {
    pub code: ProblemCode,
    /// One sentence for a person.
    pub detail: String,
}

impl Failure {
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_an_error() {
        let codes: std::collections::HashSet<_> =
            ProblemCode::ALL.iter().map(|problem| problem.code()).collect();
        assert_eq!(codes.len(), ProblemCode::ALL.len());
        assert!(ProblemCode::ALL.iter().all(|problem| (400..600).contains(&problem.status())));
    }
}
