//! A multipart request: its parts in any order, its files streamed to the blob store before the key and the text
//! fields are known, all of it bounded, none of it kept unless the request is accepted.

mod bounded;
mod disposition;
mod draft;
mod file;
mod fingerprint;

use std::collections::HashMap;
use std::io::ErrorKind;
use std::sync::Arc;

use actix_multipart::{Field, Multipart};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::web::Payload;
use countersign_shared::domain::{Media, MediaRole, ProblemCode, Scope, VerificationId};
use futures::StreamExt;

use self::bounded::Bounded;
use self::disposition::{Disposition, boundary};
use self::file::Target;
use crate::auth::{self, Caller};
use crate::front::Front;
use crate::problem::Problem;

pub(crate) use self::draft::Draft;

/// The form field that holds the API key.
const API_KEY: &str = "api_key";

/// Longest text field, in bytes.
const LONGEST_TEXT: usize = 4096;

/// Most parts of one request, those that are ignored included.
const MOST_PARTS: usize = 32;

/// What a request may hold beside its files: part headers, text fields, boundaries.
const OVERHEAD_BYTES: u64 = 1024 * 1024;

/// What an endpoint takes.
#[derive(Debug)]
pub(crate) struct Form {
    /// Form field and the part that its file plays. Two fields for one part are aliases.
    pub(crate) files: &'static [(&'static str, MediaRole)],
    /// Text fields that are read; others are ignored.
    pub(crate) texts: &'static [&'static str],
}

/// A request that was read to its end, from a caller with a valid key.
pub(crate) struct Upload {
    pub(crate) caller: Caller,
    pub(crate) media: Vec<Media>,
    pub(crate) draft: Draft,
    texts: HashMap<&'static str, String>,
}

impl Upload {
    pub(crate) fn text(&self, field: &'static str) -> Result<&str, Problem> {
        self.texts
            .get(field)
            .map(String::as_str)
            .filter(|text| !text.is_empty())
            .ok_or_else(|| Problem::missing(field))
    }

    pub(crate) fn has(&self, role: MediaRole) -> bool {
        self.media.iter().any(|media| media.role == role)
    }
}

/// Reads the request. `caller` is set when a header has named it already; then the form's key is ignored.
pub(crate) async fn receive(
    front: &Front,
    form: &'static Form,
    headers: &HeaderMap,
    payload: Payload,
    caller: Option<Caller>,
) -> Result<Upload, Problem> {
    let limit = largest_request(front, form);
    if declared_length(headers).is_some_and(|length| length > limit) {
        let detail = format!("the request is larger than {limit} bytes");
        return Err(Problem::new(ProblemCode::MediaTooLarge, detail));
    }
    if let Some(caller) = &caller {
        front.quotas.ensure(caller).await?;
    }
    let bounded = Bounded::new(payload, limit);
    let parts = Multipart::new(&reader_headers(headers)?, bounded);
    let id = VerificationId::new();
    let draft = Draft::new(id, Arc::clone(&front.blobs), front.background.clone());
    let reader = Reader { front, form, draft, caller, media: Vec::new(), texts: HashMap::new() };
    let reading = reader.read(parts);
    tokio::time::timeout(front.limits.upload_time, reading).await.unwrap_or_else(|_| {
        let detail =
            format!("the request took longer than {} s to arrive", front.limits.upload_time.as_secs());
        Err(Problem::new(ProblemCode::InvalidRequest, detail))
    })
}

struct Reader<'a> {
    front: &'a Front,
    form: &'static Form,
    draft: Draft,
    caller: Option<Caller>,
    media: Vec<Media>,
    texts: HashMap<&'static str, String>,
}

impl Reader<'_> {
    async fn read(mut self, mut parts: Multipart) -> Result<Upload, Problem> {
        let mut count = 0;
        while let Some(field) = parts.next().await {
            count += 1;
            if count > MOST_PARTS {
                let detail = format!("the request has more than {MOST_PARTS} parts");
                return Err(Problem::new(ProblemCode::InvalidRequest, detail));
            }
            self.part(field.map_err(broken)?).await?;
        }
        let caller = self.caller.ok_or_else(|| Problem::of(ProblemCode::InvalidApiKey))?;
        Ok(Upload { caller, media: self.media, draft: self.draft, texts: self.texts })
    }

    async fn part(&mut self, mut field: Field) -> Result<(), Problem> {
        let Disposition { name, is_file } = field
            .headers()
            .get("content-disposition")
            .and_then(|header| Disposition::parse(header.as_bytes()))
            .ok_or_else(|| Problem::new(ProblemCode::InvalidRequest, "a part has no form-data name"))?;
        refuse_transfer_encoding(&field, &name)?;
        if let Some((field_name, role)) = self.form.files.iter().find(|(known, _)| *known == name) {
            return self.file(field_name, *role, &mut field).await;
        }
        if name == API_KEY {
            let secret = text(&mut field, &name).await?;
            if self.caller.is_none() {
                let caller = auth::authenticate(self.front, &secret, Scope::VerifyWrite).await?;
                self.front.quotas.ensure(&caller).await?;
                self.caller = Some(caller);
            }
            return Ok(());
        }
        if is_file {
            let detail = format!("a file in the field `{name}` is not accepted here");
            return Err(Problem::new(ProblemCode::InvalidField, detail));
        }
        let value = text(&mut field, &name).await?;
        if let Some(known) = self.form.texts.iter().find(|known| **known == name)
            && self.texts.insert(known, value).is_some()
        {
            return Err(twice(known));
        }
        Ok(())
    }

    async fn file(&mut self, name: &str, role: MediaRole, field: &mut Field) -> Result<(), Problem> {
        if self.media.iter().any(|media| media.role == role) {
            return Err(twice(name));
        }
        self.draft.begin();
        let limit = file_limit(self.front, role);
        let target =
            Target { blobs: self.front.blobs.as_ref(), id: self.draft.id(), role, field: name, limit };
        self.media.push(file::store(&target, field).await?);
        Ok(())
    }
}

async fn text(field: &mut Field, name: &str) -> Result<String, Problem> {
    let invalid = |what: &str| Problem::new(ProblemCode::InvalidField, format!("the field `{name}` {what}"));
    let mut bytes = Vec::new();
    while let Some(chunk) = field.next().await {
        bytes.extend_from_slice(&chunk.map_err(broken)?);
        if bytes.len() > LONGEST_TEXT {
            return Err(invalid(&format!("is longer than {LONGEST_TEXT} bytes")));
        }
    }
    let text = String::from_utf8(bytes).map_err(|_| invalid("is not UTF-8"))?;
    Ok(text.trim().to_owned())
}

fn twice(name: &str) -> Problem {
    Problem::new(ProblemCode::InvalidField, format!("the field `{name}` is there twice"))
}

/// Bytes as they are, or a clear refusal: nothing is decoded.
fn refuse_transfer_encoding(field: &Field, name: &str) -> Result<(), Problem> {
    let Some(encoding) = field.headers().get("content-transfer-encoding") else { return Ok(()) };
    let plain = ["binary", "8bit", "7bit"]
        .iter()
        .any(|known| encoding.as_bytes().eq_ignore_ascii_case(known.as_bytes()));
    if plain {
        return Ok(());
    }
    let detail =
        format!("the field `{name}` has a Content-Transfer-Encoding that is not accepted; send binary");
    Err(Problem::new(ProblemCode::InvalidField, detail))
}

fn file_limit(front: &Front, role: MediaRole) -> u64 {
    match role {
        MediaRole::IdCard | MediaRole::Photo => front.limits.image_bytes.as_u64(),
        MediaRole::Video => front.limits.video_bytes.as_u64(),
    }
}

fn largest_request(front: &Front, form: &Form) -> u64 {
    let files: u64 = form.files.iter().map(|(_, role)| file_limit(front, *role)).sum();
    files + OVERHEAD_BYTES
}

fn declared_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The content type for the multipart reader, which is told `mixed`: for `form-data` it insists on headers so strict
/// that it refuses file names which clients send. [`Disposition`] reads them instead.
fn reader_headers(headers: &HeaderMap) -> Result<HeaderMap, Problem> {
    let boundary = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(boundary)
        .ok_or_else(|| Problem::of(ProblemCode::InvalidRequest))?;
    let quoted = boundary.replace('\\', "\\\\").replace('"', "\\\"");
    let value = HeaderValue::from_str(&format!("multipart/mixed; boundary=\"{quoted}\""))
        .map_err(|_| Problem::of(ProblemCode::InvalidRequest))?;
    Ok(HeaderMap::from_iter([(CONTENT_TYPE, value)]))
}

/// What a broken multipart stream means to its sender.
fn broken(error: actix_multipart::MultipartError) -> Problem {
    use actix_multipart::MultipartError;
    match error {
        // Told apart from Overflow, which is what the reader says of a part's headers.
        MultipartError::Payload(PayloadError::Io(error)) if error.kind() == ErrorKind::FileTooLarge => {
            Problem::new(ProblemCode::MediaTooLarge, "the request is larger than its files may be together")
        }
        MultipartError::Incomplete | MultipartError::Payload(PayloadError::Incomplete(_)) => {
            Problem::new(ProblemCode::InvalidRequest, "the request ends before its last part does")
        }
        other => {
            tracing::debug!(error = %other, "unreadable multipart request");
            Problem::of(ProblemCode::InvalidRequest)
        }
    }
}
