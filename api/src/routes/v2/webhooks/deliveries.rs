//! `GET /v2/webhooks/{id}/deliveries`: what was sent to an endpoint, page by page.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{DeliveryId, DeliveryState, ProblemCode, Scope, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{caller, query};
use super::delivery::View;
use super::{invalid, named};
use crate::front::Front;
use crate::problem::Problem;

const USUAL: u32 = 20;
const MOST: u32 = 100;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// `pending`, `delivered` or `failed`; all of them without it.
    state: Option<DeliveryState>,
    /// At most so many, from 1 to 100; 20 without it.
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<DeliveryId>)]
    cursor: Option<String>,
}

/// Newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDeliveries)]
struct Page {
    data: Vec<View>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<DeliveryId>,
}

/// Lists what was or is to be sent to an endpoint, newest first.
#[utoipa::path(
    get,
    path = "/v2/webhooks/{id}/deliveries",
    operation_id = "list_webhook_deliveries",
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The endpoint."), Query),
    responses((status = 200, description = "A page.", body = Page)),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField, ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let id = named(&id)?;
    let Query { state, limit, cursor } = query(&request)?;
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(invalid(format!("`limit` must be from 1 to {MOST}")));
    }
    let before = cursor.map(|cursor| cursor.parse::<DeliveryId>()).transpose();
    let before = before.map_err(|_| invalid("`cursor` must be the `next_cursor` of a page".to_owned()))?;
    front.webhooks.endpoint(caller.tenant, id).await?;
    // One more than asked tells whether there is a next page.
    let mut rows = front.webhooks.deliveries(caller.tenant, id, state, before, limit + 1).await?;
    let is_last = rows.len() <= limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = if is_last { None } else { rows.last().map(|row| row.id) };
    let data = rows.into_iter().map(View::from).collect();
    Ok(HttpResponse::Ok().json(Page { data, next_cursor }))
}
