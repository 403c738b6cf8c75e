//! `GET /v2/verifications/{id}/deliveries`: what was sent about a verification.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, VerificationId};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{caller, verification_id};
use super::delivery::View;
use crate::front::Front;
use crate::problem::Problem;

/// Newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = VerificationDeliveries)]
struct List {
    data: Vec<View>,
}

/// Lists what was or is to be sent about a verification, to endpoints and to its own `webhook_url`, newest first.
#[utoipa::path(
    get,
    path = "/v2/verifications/{id}/deliveries",
    operation_id = "list_verification_deliveries",
    tag = "webhooks",
    params(("id" = VerificationId, Path, description = "The verification.")),
    responses((status = 200, description = "All that are kept: one for each endpoint and one for its own URL.", body = List)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let id = verification_id(&id)?;
    let deliveries = front.webhooks.deliveries_about(caller.tenant, id).await?;
    let data = deliveries.into_iter().map(View::from).collect();
    Ok(HttpResponse::Ok().json(List { data }))
}
