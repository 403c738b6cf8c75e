//! A small JSON body, read whole.

use actix_web::web::{BytesMut, Payload};
use countersign_shared::domain::ProblemCode;
use futures::StreamExt;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

const LONGEST: usize = 64 * 1024;

/// Refuses what is not the wanted document; a body that is empty counts as `{}`.
pub(super) async fn body<Document: DeserializeOwned>(mut payload: Payload) -> Result<Document, Problem> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|_| Problem::new(ProblemCode::InvalidField, "the body broke off").closing())?;
        bytes.extend_from_slice(&chunk);
        if bytes.len() > LONGEST {
            let detail = format!("the body is longer than {LONGEST} bytes");
            return Err(Problem::new(ProblemCode::InvalidField, detail).closing());
        }
    }
    let text = if bytes.is_empty() { b"{}" } else { &bytes[..] };
    // Serde would take a list too, for the members in their order.
    if !text.trim_ascii_start().starts_with(b"{") {
        return Err(Problem::new(ProblemCode::InvalidField, "the body must be a JSON object"));
    }
    serde_json::from_slice(text).map_err(|error| {
        // Serde tells what is missing in words alone.
        let is_missing = error.to_string().starts_with("missing field");
        let code = if is_missing { ProblemCode::MissingField } else { ProblemCode::InvalidField };
        Problem::new(code, format!("the body can't be read: {error}"))
    })
}
