//! `POST /v2/webhooks/{id}/deliveries/{delivery}/redeliver`: sends a delivery once more.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{DeliveryId, ProblemCode, Scope, WebhookId};
use countersign_shared::store::StoreError;

use super::super::caller;
use super::delivery::View;
use super::named;
use crate::front::Front;
use crate::problem::Problem;

/// Sends a delivery once more, at once, under the same `webhook-id`.
#[utoipa::path(
    post,
    path = "/v2/webhooks/{id}/deliveries/{delivery}/redeliver",
    operation_id = "redeliver_webhook",
    tag = "webhooks",
    params(
        ("id" = WebhookId, Path, description = "The endpoint."),
        ("delivery" = DeliveryId, Path, description = "The delivery."),
    ),
    responses((status = 202, description = "It is on its way.", body = View)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound, ProblemCode::Conflict]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let (endpoint, delivery) = path.into_inner();
    let (endpoint, delivery) = (named(&endpoint)?, named(&delivery)?);
    front.webhooks.endpoint(caller.tenant, endpoint).await?;
    let sent = front.webhooks.redeliver(caller.tenant, endpoint, delivery).await;
    let sent = sent.map_err(|error| match error {
        StoreError::Conflict => {
            Problem::new(ProblemCode::Conflict, "an attempt is under way, or the endpoint is disabled")
        }
        other => other.into(),
    })?;
    Ok(HttpResponse::Accepted().json(View::from(sent)))
}
