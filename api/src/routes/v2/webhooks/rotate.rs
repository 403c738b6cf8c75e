//! `POST /v2/webhooks/{id}/rotate`: gives an endpoint a new secret.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, WebhookId, WebhookSecret};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::super::caller;
use super::endpoint::WithSecret;
use super::{named, overlap};
use crate::front::Front;
use crate::problem::Problem;

/// When the old secret ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookRotation, example = json!({"overlap": 3600}))]
struct Rotation {
    /// Seconds for which the old secret signs too, at most 604800 (a week); 86400 (a day) when it is left out.
    #[schema(maximum = 604_800)]
    overlap: Option<u64>,
}

/// Gives an endpoint a new secret and shows it, this once; the old one signs too for a while.
#[utoipa::path(
    post,
    path = "/v2/webhooks/{id}/rotate",
    operation_id = "rotate_webhook_secret",
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The endpoint.")),
    request_body = Option<Rotation>,
    responses((status = 200, description = "With its new secret.", body = WithSecret)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField, ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let id = named(&id)?;
    let wanted: Rotation = body(payload).await?;
    let secret = WebhookSecret::generate();
    let endpoint = front
        .webhooks
        .rotate_secret(caller.tenant, id, &secret, overlap(wanted.overlap)?, caller.actor())
        .await?;
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(WithSecret::new(endpoint, &secret)))
}
