//! Conditional requests: a tag that names one exact answer, and what a client says it has already.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderMap, HeaderValue, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign_shared::domain::ProblemCode;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

/// Only the caller may keep it, and asks each time whether it is still so.
const KEPT_AND_ASKED: &str = "private, no-cache";

/// How much of a hash tells two answers apart.
const TAG_BYTES: usize = 16;

/// A strong entity tag, as it stands in the header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntityTag(String);

impl EntityTag {
    /// Of an answer's whole body, so that it changes exactly when the answer does.
    pub(crate) fn of(body: &[u8]) -> Self {
        let hash = Sha256::digest(body);
        Self(format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(&hash[..TAG_BYTES])))
    }

    /// Of a file with that hash.
    pub(crate) fn of_hash(hexadecimal: &str) -> Self {
        Self(format!("\"{hexadecimal}\""))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the client says in `If-None-Match` that it has this answer.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        headers.get_all(IF_NONE_MATCH).filter_map(|value: &HeaderValue| value.to_str().ok()).any(|value| {
            value.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == self.0)
        })
    }
}

/// 200 with the tag of what is answered, or 304 when the client has that already.
pub(crate) fn answer(request: &HttpRequest, resource: &impl Serialize) -> Result<HttpResponse, Problem> {
    let body =
        serde_json::to_vec(resource).map_err(|error| Problem::caused_by(ProblemCode::Internal, error))?;
    let tag = EntityTag::of(&body);
    let is_known = tag.is_known(request.headers());
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((ETAG, tag.as_str())).insert_header((CACHE_CONTROL, KEPT_AND_ASKED));
    Ok(if is_known { response.finish() } else { response.content_type("application/json").body(body) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(tag: &EntityTag, value: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(IF_NONE_MATCH, HeaderValue::from_str(value).expect("a value"));
        tag.is_known(&headers)
    }

    #[test]
    fn a_client_may_name_one_tag_several_or_any() {
        let tag = EntityTag::of(b"{}");
        for value in
            [tag.as_str(), "*", &format!("\"other\", {}", tag.as_str()), &format!("W/{}", tag.as_str())]
        {
            assert!(known(&tag, value), "{value}");
        }
        for value in ["", "\"other\"", "W/\"other\"", tag.as_str().trim_matches('"')] {
            assert!(!known(&tag, value), "{value}");
        }
        assert_ne!(tag, EntityTag::of(b"[]"));
    }
}
