//! `POST /v2/verifications`: takes a verification and answers before it is finished, unless the client prefers to wait.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use countersign_shared::domain::{
    ChallengeId, Digits, Fingerprint, KeptAnswer, Kind, Language, MediaRole, Priority, ProblemCode, Request,
    Scope, State, TenantId, Timestamp, Verification, VerificationId,
};
use countersign_shared::signal::Listener;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::resource::Resource;
use super::webhooks::webhook_url;
use super::{caller, patience};
use crate::accept::{Kept, accept};
use crate::demand::{ChallengeFields, Demand, surplus, traceparent};
use crate::front::Front;
use crate::idempotency::{Held, Keyed, REPLAYED, Turn};
use crate::openapi::sample;
use crate::problem::Problem;
use crate::upload::{Form, Upload, receive};
use crate::wait::{self, Known};

const KIND: &str = "kind";
const LANE: &str = "lane";
const METADATA: &str = "metadata";
const WEBHOOK_URL: &str = "webhook_url";
const CHALLENGE: ChallengeFields =
    ChallengeFields { digits: "challenge", language: "language", id: "challenge_id", id_with_digits: false };

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

static FORM: Form = Form {
    files: &[("id_card", MediaRole::IdCard), ("photo", MediaRole::Photo), ("video", MediaRole::Video)],
    texts: &[KIND, LANE, METADATA, WEBHOOK_URL, CHALLENGE.digits, CHALLENGE.language, CHALLENGE.id],
};

/// What `POST /v2/verifications` takes: a `photo` needs `id_card` and `photo`; a `video` needs `id_card`, `video`,
/// `language` and either `challenge` or `challenge_id`; a `spoof` needs `photo`. Nothing else goes with a kind.
#[derive(ToSchema)]
#[schema(as = Submission, example = json!({
    "kind": "photo", "id_card": "(a file)", "photo": "(a file)", "metadata": {"order": "A-1042"},
}))]
#[expect(dead_code, reason = "the form as the document shows it; the upload is read part by part")]
struct Submission {
    kind: Kind,
    /// The ID card: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[schema(required = false, format = Binary)]
    id_card: String,
    /// The selfie: JPEG, PNG, WebP, GIF, BMP or TIFF.
    #[schema(required = false, format = Binary)]
    photo: String,
    /// The selfie video: MP4, MOV, 3GP, WebM, Matroska, AVI and others.
    #[schema(required = false, format = Binary)]
    video: String,
    /// The six digits that the person was asked to speak.
    #[schema(required = false)]
    challenge: Digits,
    /// A challenge that was issued, instead of `challenge`.
    #[schema(required = false)]
    challenge_id: ChallengeId,
    /// The language they were spoken in.
    #[schema(required = false)]
    language: Language,
    /// `batch` waits behind everything `interactive`, which is the default.
    #[schema(required = false)]
    lane: Priority,
    /// A JSON object of your own, up to 4 KiB, given back with the resource.
    #[schema(required = false)]
    metadata: Map<String, Value>,
    /// Where this verification's end is told, beside the endpoints of `/v2/webhooks`; signed with the tenant's secret.
    #[schema(required = false, format = "uri")]
    webhook_url: String,
}

/// Submits a verification.
///
/// From the answer on it finishes, whether the client stays or not.
#[utoipa::path(
    post,
    path = "/v2/verifications",
    operation_id = "submit_verification",
    tag = "verifications",
    params(
        (
            "Prefer" = Option<String>,
            Header,
            description = "`wait=N` waits up to N seconds, at most 60, for the result.",
            example = "wait=30",
        ),
        (
            "Idempotency-Key" = Option<String>,
            Header,
            description = "1 to 255 visible ASCII characters: a request that is sent again with the same key is done once.",
            example = "5f0c7a1e-3f6e-4d0a-9a51-0d7c54b1f2aa",
        ),
    ),
    request_body(content = Submission, content_type = "multipart/form-data"),
    responses(
        (
            status = 200,
            description = "It is finished: `Prefer: wait=N` was asked for, and it took no longer.",
            body = Resource,
            headers(("Location"), ("Preference-Applied"), ("Idempotent-Replayed"), ("X-Verification-Id")),
            example = json!(sample::finished()),
        ),
        (
            status = 202,
            description = "It is accepted and will finish.",
            body = Resource,
            headers(("Location"), ("Preference-Applied"), ("Idempotent-Replayed"), ("X-Verification-Id")),
            example = json!(sample::queued()),
        ),
    ),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"])),
    extensions(("x-error-codes" = json!([
        ProblemCode::MissingField,
        ProblemCode::InvalidField,
        ProblemCode::InvalidRequest,
        ProblemCode::UnsupportedLanguage,
        ProblemCode::NotFound,
        ProblemCode::Conflict,
        ProblemCode::MediaTooLarge,
        ProblemCode::UnsupportedMedia,
        ProblemCode::QuotaExceeded,
        ProblemCode::QueueFull,
    ]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let front = front.into_inner();
    // Until the body has been read to its end, a refusal ends the connection.
    let (upload, keyed) = take_in(&front, &request, payload).await.map_err(Problem::closing)?;
    let preferred = preferred_wait(request.headers())?;
    let (tenant, fingerprint) = (upload.caller.tenant, upload.fingerprint());
    let held = match keyed {
        None => None,
        Some(keyed) => match keyed.turn(fingerprint).await? {
            Turn::First(held) => Some(held),
            Turn::Repeated(kept) => {
                // Its files are not needed: those of the first request are there.
                drop(upload);
                return replay(&front, &request, tenant, kept, preferred).await;
            }
        },
    };
    let demand = demand(&front, upload)?;
    front.ensure_room(demand.request.lane(), Some(tenant)).await?;
    let id = demand.draft.id();
    let waiting = listen(&front, id, preferred).await;
    let names_challenge = demand.request.challenge_to_use().is_some();
    let created_at = held.as_ref().map_or_else(Timestamp::now, Held::now);
    let mut submitted = as_submitted(tenant, id, demand.request.clone(), created_at);
    let kept = held.map(|held| kept(held, fingerprint, &submitted)).transpose()?;
    let first = kept.as_ref().map(|kept| kept.completion.answer.clone());
    // The job goes on, whether its client stays or not.
    let accepted = accept(&front, demand, traceparent(request.headers()), kept).await?;
    submitted.created_at = accepted.created_at();
    accepted.release();
    request.extensions_mut().insert(id);

    // It is accepted, whatever happens now: an error would make the client submit it again.
    let finished = finished(&front, tenant, id, Known::Queued, waiting).await;
    if let (None, Some(body)) = (&finished, first) {
        return Ok(answer(StatusCode::ACCEPTED, id, preferred).content_type("application/json").body(body));
    }
    let verification = match finished {
        Some(verification) => verification,
        None if preferred.is_none() && !names_challenge => submitted,
        // How far it has come, and how its challenge stood when it was written.
        None => front.verifications.verification(tenant, id).await.unwrap_or(submitted),
    };
    let is_finished = preferred.is_some() && verification.state.is_final();
    let status = if is_finished { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok(answer(status, id, preferred).json(Resource::from(verification)))
}

/// The answer that was given before, byte for byte; to a client that prefers to wait, the finished resource.
async fn replay(
    front: &Front,
    request: &HttpRequest,
    tenant: TenantId,
    kept: KeptAnswer,
    preferred: Option<Duration>,
) -> Result<HttpResponse, Problem> {
    let id = kept.verification;
    request.extensions_mut().insert(id);
    let body = kept.body.ok_or_else(|| {
        let detail = "the verification that was submitted with this `Idempotency-Key` is erased";
        Problem::new(ProblemCode::NotFound, detail)
    })?;
    let waiting = listen(front, id, preferred).await;
    if let Some(finished) = finished(front, tenant, id, Known::Nothing, waiting).await {
        let mut response = answer(StatusCode::OK, id, preferred);
        return Ok(response.insert_header((REPLAYED, "true")).json(Resource::from(finished)));
    }
    let mut response = answer(StatusCode::ACCEPTED, id, preferred);
    Ok(response.insert_header((REPLAYED, "true")).content_type("application/json").body(body))
}

/// For a client that prefers to wait: what hears of the end, from before the row is written, and how long it may take.
async fn listen(
    front: &Front,
    id: VerificationId,
    preferred: Option<Duration>,
) -> Option<(Listener, Duration)> {
    let limit = preferred?;
    Some((front.signal.listen(id).await, limit))
}

/// The verification, if the client prefers to wait for its end and it comes in time.
async fn finished(
    front: &Front,
    tenant: TenantId,
    id: VerificationId,
    known: Known,
    waiting: Option<(Listener, Duration)>,
) -> Option<Verification> {
    let (listener, limit) = waiting?;
    wait::finished(front, tenant, id, known, listener, limit).await.ok().flatten()
}

fn answer(status: StatusCode, id: VerificationId, preferred: Option<Duration>) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response.insert_header((LOCATION, format!("/v2/verifications/{id}")));
    if let Some(limit) = preferred {
        response.insert_header((PREFERENCE_APPLIED, format!("wait={}", limit.as_secs())));
    }
    response
}

/// What is kept for the key: the answer to a client that does not wait.
fn kept(held: Held, fingerprint: Fingerprint, submitted: &Verification) -> Result<Kept, Problem> {
    let answer = serde_json::to_vec(&Resource::from(submitted.clone()))
        .map_err(|error| Problem::caused_by(ProblemCode::Internal, error))?;
    let completion = held.completion(fingerprint, submitted.created_at, answer);
    Ok(Kept { held, completion })
}

/// What the row says at first.
fn as_submitted(
    tenant: TenantId,
    id: VerificationId,
    request: Request,
    created_at: Timestamp,
) -> Verification {
    Verification {
        id,
        tenant,
        request,
        state: State::Queued,
        attempts: 0,
        created_at,
        started_at: None,
        finished_at: None,
        report: None,
        error: None,
        review: None,
    }
}

/// Everything that can be refused early is refused before the body is read, and a key reserved.
async fn take_in(
    front: &Arc<Front>,
    request: &HttpRequest,
    payload: Payload,
) -> Result<(Upload, Option<Keyed>), Problem> {
    front.ensure_ready()?;
    let caller = caller(front, request, Scope::VerifyWrite).await?;
    let _place = front.place_for_upload()?;
    let mut keyed = Keyed::begin(front, caller.tenant, request.headers()).await?;
    let reading = receive(front, &FORM, request.headers(), payload, Some(caller));
    let upload = match &mut keyed {
        Some(keyed) => keyed.during(reading).await?,
        None => reading.await?,
    };
    Ok((upload, keyed))
}

fn demand(front: &Front, upload: Upload) -> Result<Demand, Problem> {
    let invalid = |detail: String| Problem::new(ProblemCode::InvalidField, detail);
    let kind = match upload.text(KIND)? {
        "photo" => Kind::Photo,
        "video" => Kind::Video,
        "spoof" => Kind::Spoof,
        _ => return Err(invalid(format!("`{KIND}` must be photo, video or spoof"))),
    };
    if let Some(role) = surplus(&upload, kind) {
        return Err(invalid(format!("a verification of this kind takes no `{}`", role.name())));
    }
    let priority = match upload.text(LANE) {
        Err(_) | Ok("interactive") => Priority::Interactive,
        Ok("batch") => Priority::Batch,
        Ok(_) => return Err(invalid(format!("`{LANE}` must be interactive or batch"))),
    };
    let metadata = upload.text(METADATA).ok().map(metadata).transpose()?;
    let webhook_url =
        upload.text(WEBHOOK_URL).ok().map(|text| webhook_url(front, WEBHOOK_URL, text)).transpose()?;
    let mut demand = Demand::new(upload, kind, priority, CHALLENGE, metadata)?;
    demand.request.webhook_url = webhook_url;
    Ok(demand)
}

fn metadata(text: &str) -> Result<Map<String, Value>, Problem> {
    let invalid = |detail: String| Problem::new(ProblemCode::InvalidField, detail);
    // PostgreSQL keeps every character but this one.
    if text.contains("\\u0000") {
        return Err(invalid(format!("`{METADATA}` must not hold the character U+0000")));
    }
    serde_json::from_str(text)
        .map_err(|error| invalid(format!("`{METADATA}` must be a JSON object: {error}")))
}

/// `Prefer: wait=N` of RFC 7240; other preferences are none of ours.
fn preferred_wait(headers: &HeaderMap) -> Result<Option<Duration>, Problem> {
    let values = headers.get_all(PREFER).filter_map(|value: &HeaderValue| value.to_str().ok());
    let preference = values
        .flat_map(|value| value.split([',', ';']))
        .filter_map(|preference| preference.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"));
    let Some((_, seconds)) = preference else { return Ok(None) };
    let seconds = seconds.trim().trim_matches('"').parse().map_err(|_| {
        Problem::new(ProblemCode::InvalidField, "`Prefer: wait=` must be followed by whole seconds")
    })?;
    patience(seconds).map(Some)
}
