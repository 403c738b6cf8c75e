//! From a complete upload to what a worker is asked to do.

use actix_web::http::header::HeaderMap;
use countersign_shared::domain::{
    Digits, Kind, Language, MediaRole, Priority, ProblemCode, REQUEST_VERSION, Request,
};
use serde_json::{Map, Value};

use crate::auth::Caller;
use crate::problem::Problem;
use crate::upload::{Draft, Upload};

/// What an API version calls the fields of a spoken challenge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChallengeFields {
    /// The six digits that the person was asked to speak.
    pub(crate) digits: &'static str,
    /// The language they were spoken in.
    pub(crate) language: &'static str,
}

/// Who wants what, and the files that go with it.
pub(crate) struct Demand {
    pub(crate) caller: Caller,
    pub(crate) draft: Draft,
    pub(crate) request: Request,
}

impl Demand {
    /// Refuses an upload that lacks what its kind needs.
    pub(crate) fn new(
        upload: Upload,
        kind: Kind,
        priority: Priority,
        fields: ChallengeFields,
        metadata: Option<Map<String, Value>>,
    ) -> Result<Self, Problem> {
        if let Some(role) = kind.roles().iter().find(|role| !upload.has(**role)) {
            return Err(Problem::missing(role.name()));
        }
        let (challenge, language) = match kind {
            Kind::Video => (Some(digits(&upload, fields)?), Some(language(&upload, fields)?)),
            Kind::Photo | Kind::Spoof => (None, None),
        };
        let Upload { caller, media, draft, .. } = upload;
        let request = Request {
            version: REQUEST_VERSION,
            kind,
            priority,
            media,
            challenge,
            language,
            metadata,
            webhook_url: None,
        };
        Ok(Self { caller, draft, request })
    }
}

/// The first file that this kind does not take.
pub(crate) fn surplus(upload: &Upload, kind: Kind) -> Option<MediaRole> {
    upload.media.iter().map(|media| media.role).find(|role| !kind.roles().contains(role))
}

/// The caller's W3C trace context, where it is well-formed.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let well_formed = lengths == [2, 32, 16, 2]
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    well_formed.then(|| text.to_owned())
}

fn digits(upload: &Upload, fields: ChallengeFields) -> Result<Digits, Problem> {
    let field = fields.digits;
    upload
        .text(field)?
        .parse()
        .map_err(|error| Problem::new(ProblemCode::InvalidField, format!("the field `{field}`: {error}")))
}

fn language(upload: &Upload, fields: ChallengeFields) -> Result<Language, Problem> {
    let field = fields.language;
    upload.text(field)?.parse().map_err(|error| {
        let detail = format!("the field `{field}`: {error}; see GET /v2/languages");
        Problem::new(ProblemCode::UnsupportedLanguage, detail)
    })
}
