//! The middleware through which every response passes: problem bodies, request and verification ids, one log line.

use std::error::Error as _;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use countersign_shared::domain::{ProblemCode, VerificationId};
use countersign_shared::rate::Standing;
use countersign_shared::telemetry::metrics;

use super::body::{OldBody, ProblemDetails};
use super::{Problem, rate_limit};
use crate::openapi;
use crate::request_id::RequestId;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const VERIFICATION_ID: HeaderName = HeaderName::from_static("x-verification-id");
const ERROR_DETAIL: HeaderName = HeaderName::from_static("x-error-detail");

/// Longest sentence that goes into a header.
const LONGEST_DETAIL: usize = 300;

pub(crate) async fn render(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started = Instant::now();
    let response = next.call(request).await?;
    let request_id = response.request().extensions().get::<RequestId>().cloned().unwrap_or_default();
    let verification_id = response.request().extensions().get::<VerificationId>().copied();
    let standing = response.request().extensions().get::<Standing>().copied();

    let described = Description::of(&response);
    let mut response = match described {
        Some(description) => {
            let old = response.request().path().starts_with("/v1.1/");
            with_body(response, &description, old, &request_id)
        }
        None => response.map_into_boxed_body(),
    };
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let allowed = allowed(response.request().match_pattern().as_deref());
        response.headers_mut().insert(ALLOW, allowed);
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, request_id.as_header());
    if let Some(id) = verification_id.and_then(|id| HeaderValue::from_str(&id.to_string()).ok()) {
        headers.insert(VERIFICATION_ID, id);
    }
    if let Some(standing) = standing {
        rate_limit::insert(headers, &standing);
    }
    let (status, duration) = (response.status().as_u16(), started.elapsed());
    tracing::info!(http.status_code = status, request.duration_ms = duration.as_millis() as u64, "answered");
    metrics::request(endpoint(response.request().match_pattern().as_deref()), status, duration);
    Ok(response)
}

/// The route's path, or one name for all that is none: a label may not be whatever a client asks for.
fn endpoint(pattern: Option<&str>) -> &'static str {
    pattern.and_then(openapi::path).unwrap_or("unknown")
}

/// The methods that the route takes. The files of the page at `/docs` are no operations of the document, and are read.
fn allowed(pattern: Option<&str>) -> HeaderValue {
    let methods = pattern.and_then(openapi::methods);
    methods
        .and_then(|methods| HeaderValue::from_str(&methods).ok())
        .unwrap_or(HeaderValue::from_static("GET"))
}

/// What the body of an unsuccessful response says.
struct Description {
    code: ProblemCode,
    detail: String,
}

impl Description {
    /// `None` for a success. A failure's cause is logged here, once; errors that the framework made itself take the
    /// code that their status stands for.
    fn of<B>(response: &ServiceResponse<B>) -> Option<Self> {
        let status = response.status();
        if !status.is_client_error() && !status.is_server_error() {
            return None;
        }
        let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
        let Some(problem) = problem else {
            let code = framework_code(status)?;
            return Some(Self { code, detail: code.title().to_owned() });
        };
        if problem.code == ProblemCode::Internal {
            tracing::error!(error.code = %problem.code, error.causes = causes(problem), "failed");
        } else if problem.code.status() >= 500 {
            tracing::warn!(error.code = %problem.code, error.causes = causes(problem), "refused");
        }
        // What failed inside is nobody's business but the operator's.
        let detail =
            if problem.code == ProblemCode::Internal { problem.code.title() } else { &problem.detail };
        Some(Self { code: problem.code, detail: detail.to_owned() })
    }
}

/// The chain of causes, outermost first.
fn causes(problem: &Problem) -> String {
    let mut texts = Vec::new();
    let mut next = problem.source();
    while let Some(cause) = next {
        texts.push(cause.to_string());
        next = cause.source();
    }
    texts.join(": ")
}

/// `None` where a handler answered with a status of its own on purpose, such as 503 of `/readyz`.
fn framework_code(status: StatusCode) -> Option<ProblemCode> {
    Some(match status {
        StatusCode::NOT_FOUND => ProblemCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ProblemCode::MethodNotAllowed,
        StatusCode::PAYLOAD_TOO_LARGE => ProblemCode::MediaTooLarge,
        StatusCode::INTERNAL_SERVER_ERROR => ProblemCode::Internal,
        status if status.is_client_error() => ProblemCode::InvalidRequest,
        _ => return None,
    })
}

fn with_body<B>(
    response: ServiceResponse<B>,
    description: &Description,
    old: bool,
    request_id: &RequestId,
) -> ServiceResponse<BoxBody> {
    let code = description.code;
    let (content_type, body) = if old {
        ("application/json", serde_json::to_vec(&OldBody { error: code }))
    } else {
        let details = ProblemDetails::new(code, &description.detail, request_id.as_str());
        ("application/problem+json", serde_json::to_vec(&details))
    };
    let body = body.expect("strings and numbers serialise; this is a bug");
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(ERROR_DETAIL, header_text(&description.detail));
    response
}

/// Visible ASCII only: a client's own text can come back in a sentence.
fn header_text(text: &str) -> HeaderValue {
    let safe: String = text
        .chars()
        .take(LONGEST_DETAIL)
        .map(|character| if character.is_ascii_graphic() || character == ' ' { character } else { '?' })
        .collect();
    HeaderValue::from_str(&safe).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_with_line_breaks_and_thai_is_safe_in_a_header() {
        assert_eq!(header_text("ไม่\r\nX-Evil: 1"), HeaderValue::from_static("?????X-Evil: 1"));
    }
}
