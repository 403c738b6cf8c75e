//! From a complete upload to what a worker is asked to do.

use actix_web::http::header::HeaderMap;
use countersign_shared::domain::{
    Digits, Kind, Language, MediaRole, NamedChallenge, Priority, ProblemCode, Request, Standing,
};
use countersign_shared::store::StoreError;
use serde_json::{Map, Value};

use crate::auth::Caller;
use crate::front::Front;
use crate::problem::Problem;
use crate::upload::{Draft, Upload};

/// What an API version calls the fields of a spoken challenge.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChallengeFields {
    /// The six digits that the person was asked to speak.
    pub(crate) digits: &'static str,
    /// The language they were spoken in.
    pub(crate) language: &'static str,
    /// The issued challenge that the digits are of.
    pub(crate) id: &'static str,
    /// Whether it is named beside the digits, or in their place.
    pub(crate) id_with_digits: bool,
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
        let (mut challenge, mut language, mut named_challenge) = (None, None, None);
        if kind == Kind::Video {
            (challenge, named_challenge) = spoken(&upload, fields)?;
            language = Some(spoken_language(&upload, fields)?);
        } else if upload.text(fields.id).is_ok() {
            let detail = format!("a verification of this kind takes no `{}`", fields.id);
            return Err(Problem::new(ProblemCode::InvalidField, detail));
        }
        let Upload { caller, media, draft, .. } = upload;
        let request = Request {
            version: Request::version_with(named_challenge),
            kind,
            priority,
            media,
            challenge,
            language,
            metadata,
            webhook_url: None,
            named_challenge,
        };
        Ok(Self { caller, draft, request })
    }

    /// Looks up the digits of the challenge that is named. Whether it is still open is decided when the verification is
    /// accepted.
    pub(crate) async fn look_up_challenge(&mut self, front: &Front) -> Result<(), Problem> {
        let Some(named) = self.request.named_challenge else { return Ok(()) };
        match front.challenges.challenge(self.caller.tenant, named.id).await {
            Ok(challenge) => {
                if *self.request.challenge.get_or_insert(challenge.digits) != challenge.digits {
                    self.request.challenge_stands(Standing::Mismatch);
                }
            }
            Err(StoreError::NotFound) => self.request.challenge_stands(Standing::Unknown),
            Err(error) => return Err(error.into()),
        }
        Ok(())
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

/// The digits, the challenge that is named, or both.
fn spoken(
    upload: &Upload,
    fields: ChallengeFields,
) -> Result<(Option<Digits>, Option<NamedChallenge>), Problem> {
    let invalid = |detail: String| Problem::new(ProblemCode::InvalidField, detail);
    let Ok(id) = upload.text(fields.id) else { return Ok((Some(digits(upload, fields)?), None)) };
    let id = id.parse().map_err(|error| invalid(format!("the field `{}`: {error}", fields.id)))?;
    // The store decides.
    let named = Some(NamedChallenge { id, standing: Standing::Accepted });
    if fields.id_with_digits {
        return Ok((Some(digits(upload, fields)?), named));
    }
    if upload.text(fields.digits).is_ok() {
        return Err(invalid(format!("send either `{}` or `{}`", fields.digits, fields.id)));
    }
    Ok((None, named))
}

fn digits(upload: &Upload, fields: ChallengeFields) -> Result<Digits, Problem> {
    let field = fields.digits;
    upload
        .text(field)?
        .parse()
        .map_err(|error| Problem::new(ProblemCode::InvalidField, format!("the field `{field}`: {error}")))
}

fn spoken_language(upload: &Upload, fields: ChallengeFields) -> Result<Language, Problem> {
    let field = fields.language;
    upload.text(field)?.parse().map_err(|error| {
        let detail = format!("the field `{field}`: {error}; see GET /v2/languages");
        Problem::new(ProblemCode::UnsupportedLanguage, detail)
    })
}
