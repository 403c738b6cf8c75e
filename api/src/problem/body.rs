//! What the body of an unsuccessful response says.

use countersign_shared::domain::ProblemCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// What went wrong, in v1.1: the code and nothing else. The sentence for a person is in `X-Error-Detail`.
#[derive(Serialize, ToSchema)]
#[schema(as = Error, example = json!({"error": "MISSING_FIELD"}))]
pub(crate) struct OldBody {
    pub(super) error: ProblemCode,
}

/// What went wrong, as RFC 9457 has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem, example = json!(ProblemDetails::example(ProblemCode::MissingField)))]
pub(crate) struct ProblemDetails<'a> {
    /// `about:blank`: the code says more than a page could.
    r#type: &'static str,
    /// What the code means.
    title: &'static str,
    /// The response's status.
    status: u16,
    /// One sentence for a person: what was wrong in this request.
    detail: &'a str,
    code: ProblemCode,
    /// The request's name in the logs, also in `X-Request-Id`.
    request_id: &'a str,
}

impl OldBody {
    pub(crate) fn example(error: ProblemCode) -> Value {
        json!(Self { error })
    }
}

impl<'a> ProblemDetails<'a> {
    pub(super) const fn new(code: ProblemCode, detail: &'a str, request_id: &'a str) -> Self {
        Self { r#type: "about:blank", title: code.title(), status: code.status(), detail, code, request_id }
    }

    pub(crate) fn example(code: ProblemCode) -> Value {
        json!(ProblemDetails::new(code, code.title(), "019b0f3c2a7e7d31a5c06f1e8d94b2a7"))
    }
}
