//! The name of one request in responses and logs: the client's own where it is sane, else a fresh one.

use actix_web::http::header::{HeaderMap, HeaderValue};
use uuid::Uuid;

/// At most 128 letters, digits, `-`, `_` and `.`.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let sane = |text: &&str| {
            (1..=128).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        headers
            .get("x-request-id")
            .and_then(|value| value.to_str().ok())
            .filter(sane)
            .map_or_else(Self::default, |text| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn as_header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).expect("letters and digits make a header; this is a bug")
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self(Uuid::now_v7().simple().to_string())
    }
}
