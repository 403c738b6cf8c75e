//! `POST /v2/webhooks/{id}/test`: sends a test event.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{DeliveryId, ProblemCode, Scope, WebhookId};
use countersign_shared::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller;
use super::named;
use crate::front::Front;
use crate::problem::Problem;

/// An event on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookTest, example = json!({"id": "msg_019b0f3c2a7e7d31a5c06f1e8d94b2a7"}))]
struct Sent {
    /// Of the delivery: its header `webhook-id`.
    id: DeliveryId,
}

/// Sends a `webhook.test` event to an endpoint, whatever its filter.
#[utoipa::path(
    post,
    path = "/v2/webhooks/{id}/test",
    operation_id = "test_webhook",
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The endpoint.")),
    responses((status = 202, description = "It is on its way.", body = Sent)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound, ProblemCode::Conflict]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let id = front.webhooks.test_endpoint(caller.tenant, named(&id)?).await.map_err(|error| match error {
        StoreError::Conflict => Problem::new(ProblemCode::Conflict, "the endpoint is disabled"),
        other => other.into(),
    })?;
    Ok(HttpResponse::Accepted().json(Sent { id }))
}
