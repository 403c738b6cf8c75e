//! What a handler answers when it can't do what was asked. One table gives code, status and title; how it looks on the
//! wire is decided in [`render()`], by the path's version.

mod body;
mod rate_limit;
mod render;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONNECTION, HeaderValue, LOCATION, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use countersign_shared::blob::BlobError;
use countersign_shared::domain::{Failure, ProblemCode};
use countersign_shared::rate::Standing;
use countersign_shared::store::StoreError;

pub(crate) use body::{OldBody, ProblemDetails};
pub(crate) use render::render;

use self::rate_limit::whole_seconds;

/// Seconds after which a client that was turned away should come back.
const RETRY_AFTER_SECONDS: u16 = 5;

/// A refusal: a public code, a sentence for a person, and a cause that only the log sees.
#[derive(Debug)]
pub(crate) struct Problem {
    code: ProblemCode,
    detail: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    location: Option<String>,
    /// When to come back; of the code's own where it is known no better.
    retry_after: Option<Duration>,
    /// How the caller stands with its rate limit. Boxed: a problem is part of every result.
    standing: Option<Box<Standing>>,
    /// The request's body was not read to its end, so the connection can't be used again.
    close: bool,
}

impl Problem {
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            cause: None,
            location: None,
            retry_after: None,
            standing: None,
            close: false,
        }
    }

    /// The code's own title says it all.
    pub(crate) fn of(code: ProblemCode) -> Self {
        Self::new(code, code.title())
    }

    pub(crate) fn caused_by(code: ProblemCode, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { cause: Some(cause.into()), ..Self::of(code) }
    }

    pub(crate) fn missing(field: &str) -> Self {
        Self::new(ProblemCode::MissingField, format!("the field `{field}` is missing"))
    }

    /// Where the resource can be found.
    pub(crate) fn with_location(self, location: String) -> Self {
        Self { location: Some(location), ..self }
    }

    /// When the same request may succeed.
    pub(crate) fn with_retry_after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(crate) fn with_standing(self, standing: Option<Standing>) -> Self {
        let retry_after = standing.and_then(|standing| standing.retry_after).or(self.retry_after);
        Self { retry_after, standing: standing.map(Box::new), ..self }
    }

    /// Answered before the body was read to its end.
    pub(crate) fn closing(self) -> Self {
        Self { close: true, ..self }
    }
}

/// Whether the response says when to come back.
pub(crate) const fn invites_retry(code: ProblemCode) -> bool {
    matches!(
        code,
        ProblemCode::QueueFull | ProblemCode::Unavailable | ProblemCode::RateLimited | ProblemCode::TimedOut
    )
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.detail)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Status and headers; [`render()`] writes the body.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait).max(1)));
        } else if invites_retry(self.code) {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if let Some(standing) = &self.standing {
            rate_limit::insert(headers, standing);
        }
        if let Some(location) = self.location.as_deref().and_then(|path| HeaderValue::from_str(path).ok()) {
            headers.insert(LOCATION, location);
        }
        if self.close {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::new(failure.code, failure.detail)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::of(ProblemCode::NotFound),
            StoreError::Conflict => Self::of(ProblemCode::Conflict),
            StoreError::Unavailable(cause) => Self::caused_by(ProblemCode::Unavailable, cause),
            StoreError::Other(cause) => Self::caused_by(ProblemCode::Internal, cause),
        }
    }
}

impl From<BlobError> for Problem {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unavailable(cause) => Self::caused_by(ProblemCode::Unavailable, cause),
            BlobError::NotFound | BlobError::Other(_) => Self::caused_by(ProblemCode::Internal, error),
        }
    }
}
