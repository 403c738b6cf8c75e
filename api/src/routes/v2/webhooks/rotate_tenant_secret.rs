//! `POST /v2/webhooks/secret/rotate`: a new secret for verifications' own URLs.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, WebhookSecret};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::body::body;
use super::super::caller;
use super::overlap;
use crate::front::Front;
use crate::problem::Problem;

/// When the old secret ends.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantWebhookRotation, example = json!({"overlap": 3600}))]
struct Rotation {
    /// Seconds for which the old secret signs too, at most 604800 (a week); 86400 (a day) when it is left out.
    #[schema(maximum = 604_800)]
    overlap: Option<u64>,
}

/// A secret that was made now, and is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantWebhookSecret, example = json!({
    "secret": "whsec_…", "previous_secret_until": "2026-11-28T09:30:00.000Z",
}))]
struct Secret {
    secret: String,
    /// Until when the secret before it signs too.
    #[schema(required, format = DateTime)]
    previous_secret_until: Option<String>,
}

/// Makes a new secret for events to verifications' own `webhook_url` and shows it, this once; the old one signs too for a while.
#[utoipa::path(
    post,
    path = "/v2/webhooks/secret/rotate",
    operation_id = "rotate_tenant_webhook_secret",
    tag = "webhooks",
    request_body = Option<Rotation>,
    responses((status = 200, description = "The new secret.", body = Secret)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let wanted: Rotation = body(payload).await?;
    let secret = WebhookSecret::generate();
    let until = front
        .webhooks
        .rotate_tenant_secret(caller.tenant, &secret, overlap(wanted.overlap)?, caller.actor())
        .await?;
    let shown = Secret { secret: secret.reveal(), previous_secret_until: until.map(|time| time.to_string()) };
    Ok(HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(shown))
}
