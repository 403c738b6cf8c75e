//! `GET /v2/verifications/{id}/media/{role}`: one of the files, as it came.

use std::ops::Range;

use actix_web::body::SizedStream;
use actix_web::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::{Data, Path};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use countersign_shared::blob::BlobError;
use countersign_shared::domain::{Action, AuditEntry, Media, MediaRole, ProblemCode, Scope, VerificationId};
use countersign_shared::telemetry::events;
use futures::TryStreamExt;

use super::{caller, verification_id};
use crate::etag::EntityTag;
use crate::front::Front;
use crate::openapi::Binary;
use crate::problem::Problem;

/// Faces are for nobody's cache.
const NOT_KEPT: &str = "private, no-store";

/// Downloads one of the files, as it came.
///
/// A single byte range is honoured. A file is gone when its retention has ended or the verification was erased.
#[utoipa::path(
    get,
    path = "/v2/verifications/{id}/media/{role}",
    operation_id = "download_media",
    tag = "verifications",
    params(
        ("id" = VerificationId, Path, description = "The verification."),
        ("role" = MediaRole, Path, description = "The part that the file plays."),
        ("Range" = Option<String>, Header, description = "One range of bytes.", example = "bytes=0-1023"),
        (
            "If-Range" = Option<String>,
            Header,
            description = "The `ETag` of the file that the range is of; of another file the whole is sent.",
            example = "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        ),
        (
            "If-None-Match" = Option<String>,
            Header,
            description = "The `ETag` of the file that the client has.",
            example = "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"",
        ),
    ),
    responses(
        (
            status = 200,
            description = "The whole file, with the media type of what it is.",
            content((Binary = "image/*"), (Binary = "video/*")),
            headers(("ETag"), ("Accept-Ranges"), ("Content-Disposition"), ("Cache-Control")),
        ),
        (
            status = 206,
            description = "The range of it.",
            content((Binary = "image/*"), (Binary = "video/*")),
            headers(("ETag"), ("Accept-Ranges"), ("Content-Range"), ("Content-Disposition"), ("Cache-Control")),
        ),
        (status = 304, description = "The client has it: `If-None-Match` named its `ETag`.", headers(("ETag"))),
    ),
    security(("bearer" = ["media:read"]), ("api_key" = ["media:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::MediaRead).await?;
    let (id, role) = path.into_inner();
    let id = verification_id(&id)?;
    let role: MediaRole = role.parse().map_err(|_| Problem::of(ProblemCode::NotFound))?;
    let verification = front.verifications.verification(caller.tenant, id).await?;
    request.extensions_mut().insert(id);
    let media = verification.request.media(role).ok_or_else(|| {
        let detail =
            format!("a verification of the kind {} has no `{role}`", verification.request.kind.name());
        Problem::new(ProblemCode::NotFound, detail)
    })?;
    let tag = EntityTag::of_hash(&media.sha256);
    if tag.is_known(request.headers()) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, tag.as_str())).finish());
    }
    let seen =
        AuditEntry::new(caller.actor(), Action::MediaRead, caller.tenant, id).with("role", role.name());
    front.audit(&seen).await?;
    send(&front, id, media, &tag, request.headers()).await
}

/// The file, or the range of it that is asked for, piece by piece.
async fn send(
    front: &Front,
    id: VerificationId,
    media: &Media,
    tag: &EntityTag,
    headers: &HeaderMap,
) -> Result<HttpResponse, Problem> {
    let range = asked_range(headers, media.bytes, tag);
    let part = range.clone().unwrap_or(0..media.bytes);
    let length = part.end - part.start;
    let pieces = front.blobs.read(&media.key, part.clone()).await.map_err(|error| match error {
        BlobError::NotFound => {
            let detail = "the file is gone: its retention has ended, or the verification was erased";
            Problem::new(ProblemCode::NotFound, detail)
        }
        other => other.into(),
    })?;
    let pieces = pieces.inspect_err(|error| events::dependency_failed("send a file", error));
    let (media_type, ending) = media.format.media_type();
    let mut response = if range.is_some() { HttpResponse::PartialContent() } else { HttpResponse::Ok() };
    if range.is_some() {
        let content_range = format!("bytes {}-{}/{}", part.start, part.end - 1, media.bytes);
        response.insert_header((CONTENT_RANGE, content_range));
    }
    let name = format!("attachment; filename=\"{id}-{}.{ending}\"", media.role);
    response
        .content_type(media_type)
        .insert_header((CONTENT_DISPOSITION, name))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, NOT_KEPT))
        .insert_header((ACCEPT_RANGES, "bytes"))
        .insert_header((ETAG, tag.as_str()));
    Ok(response.body(SizedStream::new(length, pieces)))
}

/// The one range that is asked for. `None` for the whole file: where none is asked for, or several, or one that the file
/// does not have, or one of another file.
fn asked_range(headers: &HeaderMap, length: u64, tag: &EntityTag) -> Option<Range<u64>> {
    let is_of_another =
        headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_str().as_bytes());
    if is_of_another {
        return None;
    }
    let (unit, asked) = headers.get(RANGE)?.to_str().ok()?.split_once('=')?;
    let (first, last) = asked.trim().split_once('-')?;
    let number = |text: &str| text.parse::<u64>().ok();
    let range = match (first, last) {
        ("", last) => length.saturating_sub(number(last)?)..length,
        (first, "") => number(first)?..length,
        (first, last) => number(first)?..number(last)?.saturating_add(1).min(length),
    };
    (unit.trim() == "bytes" && !range.is_empty()).then_some(range)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn range(text: &str, if_range: Option<&str>) -> Option<Range<u64>> {
        let mut headers = HeaderMap::new();
        headers.insert(RANGE, HeaderValue::from_str(text).expect("a value"));
        if let Some(tag) = if_range {
            headers.insert(IF_RANGE, HeaderValue::from_str(tag).expect("a value"));
        }
        asked_range(&headers, 100, &EntityTag::of_hash("00"))
    }

    #[test]
    fn one_range_is_understood_and_anything_else_is_the_whole_file() {
        for (text, expected) in [
            ("bytes=0-9", Some(0..10)),
            ("bytes=90-", Some(90..100)),
            ("bytes=90-1000", Some(90..100)),
            ("bytes=-10", Some(90..100)),
            ("bytes=-1000", Some(0..100)),
            ("bytes=100-", None),
            ("bytes=9-0", None),
            ("bytes=-0", None),
            ("bytes=0-1,5-6", None),
            ("bytes=", None),
            ("bytes=-", None),
            ("bytes=x-y", None),
            ("bytes=0-18446744073709551615", Some(0..100)),
            ("lines=0-9", None),
        ] {
            assert_eq!(range(text, None), expected, "{text}");
        }
        assert_eq!(range("bytes=0-9", Some("\"00\"")), Some(0..10));
        assert_eq!(range("bytes=0-9", Some("\"01\"")), None);
    }
}
