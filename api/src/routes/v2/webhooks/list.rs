//! `GET /v2/webhooks`: the tenant's endpoints.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::Scope;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::caller;
use super::endpoint::View;
use crate::front::Front;
use crate::problem::Problem;

/// Oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoints)]
struct Endpoints {
    data: Vec<View>,
}

/// Lists your endpoints, oldest first; there are never many.
#[utoipa::path(
    get,
    path = "/v2/webhooks",
    operation_id = "list_webhooks",
    tag = "webhooks",
    responses((status = 200, description = "All of them.", body = Endpoints)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
)]
pub(super) async fn handle(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let endpoints = front.webhooks.endpoints(caller.tenant).await?;
    Ok(HttpResponse::Ok().json(Endpoints { data: endpoints.into_iter().map(View::from).collect() }))
}
