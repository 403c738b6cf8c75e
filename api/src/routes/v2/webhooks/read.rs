//! `GET /v2/webhooks/{id}`: one endpoint.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, WebhookId};

use super::super::caller;
use super::endpoint::View;
use super::named;
use crate::front::Front;
use crate::problem::Problem;

/// Shows an endpoint, without its secret.
#[utoipa::path(
    get,
    path = "/v2/webhooks/{id}",
    operation_id = "read_webhook",
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The endpoint.")),
    responses((status = 200, description = "The endpoint.", body = View)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let endpoint = front.webhooks.endpoint(caller.tenant, named(&id)?).await?;
    Ok(HttpResponse::Ok().json(View::from(endpoint)))
}
