//! `PATCH /v2/webhooks/{id}`: changes an endpoint.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{EventType, ProblemCode, Scope, WebhookEndpointChange, WebhookId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::super::caller;
use super::endpoint::View;
use super::{description, events, named, webhook_url};
use crate::front::Front;
use crate::problem::Problem;

/// What is to be different; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointChange, example = json!({"events": ["verification.failed"], "enabled": true}))]
struct Change {
    url: Option<String>,
    description: Option<String>,
    /// An empty list means everything.
    events: Option<Vec<EventType>>,
    /// What is on its way to a disabled endpoint is given up.
    enabled: Option<bool>,
}

/// Changes what is given of an endpoint; enabling it forgets how long it has been failing.
#[utoipa::path(
    patch,
    path = "/v2/webhooks/{id}",
    operation_id = "change_webhook",
    tag = "webhooks",
    params(("id" = WebhookId, Path, description = "The endpoint.")),
    request_body = Option<Change>,
    responses((status = 200, description = "As it is now.", body = View)),
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
    let wanted: Change = body(payload).await?;
    let change = WebhookEndpointChange {
        url: wanted.url.map(|url| webhook_url(&front, "url", &url)).transpose()?,
        description: wanted.description.map(description).transpose()?,
        events: wanted.events.map(events),
        enabled: wanted.enabled,
    };
    let endpoint = front.webhooks.change_endpoint(caller.tenant, id, &change, caller.actor()).await?;
    Ok(HttpResponse::Ok().json(View::from(endpoint)))
}
