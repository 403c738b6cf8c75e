//! `POST /v2/verifications`: takes a verification and answers before it is finished, unless the client prefers to wait.

use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use countersign_shared::domain::{
    Digits, Kind, Language, MediaRole, Priority, ProblemCode, Request, Scope, State, TenantId, Timestamp,
    Verification, VerificationId,
};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::resource::Resource;
use super::webhooks::webhook_url;
use super::{caller, patience};
use crate::accept::accept;
use crate::demand::{ChallengeFields, Demand, surplus, traceparent};
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;
use crate::upload::{Form, Upload, receive};
use crate::wait;

const KIND: &str = "kind";
const LANE: &str = "lane";
const METADATA: &str = "metadata";
const WEBHOOK_URL: &str = "webhook_url";
const CHALLENGE: ChallengeFields = ChallengeFields { digits: "challenge", language: "language" };

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

static FORM: Form = Form {
    files: &[("id_card", MediaRole::IdCard), ("photo", MediaRole::Photo), ("video", MediaRole::Video)],
    texts: &[KIND, LANE, METADATA, WEBHOOK_URL, CHALLENGE.digits, CHALLENGE.language],
};

/// What `POST /v2/verifications` takes: a `photo` needs `id_card` and `photo`; a `video` needs `id_card`, `video`,
/// `challenge` and `language`; a `spoof` needs `photo`. Nothing else goes with a kind.
#[derive(ToSchema)]
#[schema(as = Submission)]
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
    params((
        "Prefer" = Option<String>,
        Header,
        description = "`wait=N` waits up to N seconds, at most 60, for the result.",
        example = "wait=30",
    )),
    request_body(content = Submission, content_type = "multipart/form-data"),
    responses(
        (
            status = 200,
            description = "It is finished: `Prefer: wait=N` was asked for, and it took no longer.",
            body = Resource,
            headers(("Location"), ("Preference-Applied"), ("X-Verification-Id")),
            example = json!(sample::finished()),
        ),
        (
            status = 202,
            description = "It is accepted and will finish.",
            body = Resource,
            headers(("Location"), ("Preference-Applied"), ("X-Verification-Id")),
            example = json!(sample::queued()),
        ),
    ),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"])),
    extensions(("x-error-codes" = json!([
        ProblemCode::MissingField,
        ProblemCode::InvalidField,
        ProblemCode::InvalidRequest,
        ProblemCode::UnsupportedLanguage,
        ProblemCode::MediaTooLarge,
        ProblemCode::UnsupportedMedia,
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
    let upload = take_in(&front, &request, payload).await.map_err(Problem::closing)?;
    let preferred = preferred_wait(request.headers())?;
    let demand = demand(&front, upload)?;
    front.ensure_room(demand.request.lane(), Some(demand.caller.tenant)).await?;
    let Demand { caller, draft, request: wanted } = demand;
    let listener = front.signal.listen(draft.id()).await;
    let submitted = as_submitted(caller.tenant, draft.id(), wanted.clone());
    let accepted = accept(&front, caller, draft, wanted, traceparent(request.headers())).await?;
    let id = accepted.id();
    // The job goes on, whether its client stays or not.
    accepted.release();
    request.extensions_mut().insert(id);

    if let Some(limit) = preferred {
        let _ = wait::finished(&front, caller.tenant, id, listener, limit).await;
    }
    // It is accepted, whatever happens now: an error would make the client submit it again.
    let verification = front.verifications.verification(caller.tenant, id).await.unwrap_or(submitted);
    let is_finished = preferred.is_some() && verification.state.is_final();
    let mut response = if is_finished { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    response.insert_header((LOCATION, format!("/v2/verifications/{id}")));
    if let Some(limit) = preferred {
        response.insert_header((PREFERENCE_APPLIED, format!("wait={}", limit.as_secs())));
    }
    Ok(response.json(Resource::from(verification)))
}

/// What the row says at first.
fn as_submitted(tenant: TenantId, id: VerificationId, request: Request) -> Verification {
    Verification {
        id,
        tenant,
        request,
        state: State::Queued,
        attempts: 0,
        created_at: Timestamp::now(),
        started_at: None,
        finished_at: None,
        report: None,
        error: None,
    }
}

async fn take_in(front: &Front, request: &HttpRequest, payload: Payload) -> Result<Upload, Problem> {
    front.ensure_ready()?;
    // Better refused than overlooked: a client that sends one relies on it.
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        return Err(Problem::new(ProblemCode::InvalidField, "`Idempotency-Key` is not taken yet"));
    }
    let caller = caller(front, request, Scope::VerifyWrite).await?;
    let _place = front.place_for_upload()?;
    receive(front, &FORM, request.headers(), payload, Some(caller)).await
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
