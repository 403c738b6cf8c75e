//! `DELETE /v2/webhooks/{id}`: deletes an endpoint.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, WebhookId};

use super::super::caller;
use super::named;
use crate::front::Front;
use crate::problem::Problem;

/// Deletes an endpoint and gives up what is on its way to it.
#[utoipa::path(
    delete,
    path = "/v2/webhooks/{id}",
    operation_id = "delete_webhook",
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The endpoint.")),
    responses((status = 204, description = "It is gone.")),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    front.webhooks.delete_endpoint(caller.tenant, named(&id)?, caller.actor()).await?;
    Ok(HttpResponse::NoContent().finish())
}
