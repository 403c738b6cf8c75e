//! One synchronous call, from the first header to the documented answer.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::web::Payload;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use countersign_shared::domain::{Kind, Lane, Priority, ProblemCode, Scope, State, Verification};
use countersign_shared::signal::Listener;

use super::videoverify::CHALLENGE;
use super::view::view;
use crate::accept::{Awaited, accept};
use crate::auth;
use crate::demand::{Demand, traceparent};
use crate::front::Front;
use crate::problem::Problem;
use crate::upload::{Form, Upload, receive};
use crate::wait::{self, Known};

/// What a call with pictures can be refused with, or fail with.
pub(super) const PICTURE_CODES: &[ProblemCode] = &[
    ProblemCode::MissingField,
    ProblemCode::InvalidField,
    ProblemCode::InvalidRequest,
    ProblemCode::Conflict,
    ProblemCode::MediaTooLarge,
    ProblemCode::ImageTooLarge,
    ProblemCode::UnsupportedMedia,
    ProblemCode::MediaUnreadable,
    ProblemCode::QuotaExceeded,
    ProblemCode::QueueFull,
    ProblemCode::TimedOut,
];

/// The same for a call that takes a video.
pub(super) const VIDEO_CODES: &[ProblemCode] = &[
    ProblemCode::MissingField,
    ProblemCode::InvalidField,
    ProblemCode::InvalidRequest,
    ProblemCode::UnsupportedLanguage,
    ProblemCode::Conflict,
    ProblemCode::MediaTooLarge,
    ProblemCode::ImageTooLarge,
    ProblemCode::UnsupportedMedia,
    ProblemCode::MediaUnreadable,
    ProblemCode::VideoTooLong,
    ProblemCode::VideoWithoutAudio,
    ProblemCode::QuotaExceeded,
    ProblemCode::QueueFull,
    ProblemCode::TimedOut,
];

/// What makes one endpoint differ from another.
pub(super) struct Endpoint {
    pub(super) form: Form,
    /// The kind whose lane is looked at before the body is read.
    pub(super) usual: Kind,
    /// The kind that the parts amount to.
    pub(super) kind: fn(&Upload) -> Result<Kind, Problem>,
}

pub(super) async fn answer(
    front: Arc<Front>,
    request: HttpRequest,
    payload: Payload,
    endpoint: &'static Endpoint,
) -> Result<HttpResponse, Problem> {
    // Until the body has been read to its end, a refusal ends the connection.
    let upload = take_in(&front, request.headers(), payload, endpoint).await.map_err(Problem::closing)?;

    let language_as_sent = upload.text(CHALLENGE.language).ok().map(str::to_owned);
    let (awaited, listener) = submit(&front, upload, endpoint, request.headers()).await?;
    request.extensions_mut().insert(awaited.id());
    let verification = result(&front, awaited, listener).await?;
    documented(verification, language_as_sent.as_deref())
}

/// Everything that can be refused early is refused before the body is read.
async fn take_in(
    front: &Front,
    headers: &HeaderMap,
    payload: Payload,
    endpoint: &'static Endpoint,
) -> Result<Upload, Problem> {
    front.ensure_ready()?;
    let caller = auth::by_header(front, headers, Scope::VerifyWrite).await?;
    let lane = Lane::of(endpoint.usual, Priority::Interactive);
    front.ensure_room(lane, caller.map(|caller| caller.tenant)).await?;
    let _place = front.place_for_upload()?;
    receive(front, &endpoint.form, headers, payload, caller).await
}

async fn submit(
    front: &Arc<Front>,
    upload: Upload,
    endpoint: &Endpoint,
    headers: &HeaderMap,
) -> Result<(Awaited, Listener), Problem> {
    let kind = (endpoint.kind)(&upload)?;
    let demand = Demand::new(upload, kind, Priority::Interactive, CHALLENGE, None)?;
    front.ensure_room(demand.request.lane(), Some(demand.caller.tenant)).await?;
    // Registered before the row is written, so no change of it can be missed.
    let listener = front.signal.listen(demand.draft.id()).await;
    Ok((accept(front, demand, traceparent(headers), None).await?, listener))
}

async fn result(front: &Front, awaited: Awaited, listener: Listener) -> Result<Verification, Problem> {
    let (tenant, id) = (awaited.tenant(), awaited.id());
    let finished = wait::finished(front, tenant, id, Known::Queued, listener, front.wait).await;
    awaited.release();
    finished?
        .ok_or_else(|| Problem::of(ProblemCode::TimedOut).with_location(format!("/v2/verifications/{id}")))
}

fn documented(verification: Verification, language_as_sent: Option<&str>) -> Result<HttpResponse, Problem> {
    if let Some(report) = &verification.report {
        return Ok(HttpResponse::Ok().json(view(report, language_as_sent)));
    }
    Err(match (verification.state, verification.error) {
        (_, Some(failure)) => failure.into(),
        (State::Canceled, None) => Problem::new(ProblemCode::Conflict, "the verification was canceled"),
        (state, None) => {
            let cause = format!("verification {} is {} and has no report", verification.id, state.name());
            Problem::caused_by(ProblemCode::Internal, cause)
        }
    })
}
