//! Content that is the same for the life of the process, with a version that spares a client its second reading.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, EntityTag, Header as _, HeaderValue, IfNoneMatch,
};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use sha2::{Digest, Sha256};

pub(super) struct Fixed {
    content_type: &'static str,
    is_gzipped: bool,
    bytes: Bytes,
    tag: EntityTag,
}

impl Fixed {
    pub(super) fn new(content_type: &'static str, bytes: Bytes) -> Self {
        let hash: Vec<String> =
            Sha256::digest(&bytes)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { content_type, is_gzipped: false, bytes, tag: EntityTag::new_strong(hash.concat()) }
    }

    /// The bytes are gzip's, and are sent so to everyone: what can't read them can't show them either.
    pub(super) fn gzipped(self) -> Self {
        Self { is_gzipped: true, ..self }
    }

    /// The content, or 304 to a client that has it.
    pub(super) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let mut response = match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Items(known)) if known.iter().any(|tag| tag.weak_eq(&self.tag)) => {
                HttpResponse::NotModified().finish()
            }
            _ => HttpResponse::Ok().body(self.bytes.clone()),
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag.to_string()) {
            headers.insert(ETAG, tag);
        }
        if self.is_gzipped {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
    }
}
