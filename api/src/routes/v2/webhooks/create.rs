//! `POST /v2/webhooks`: adds an endpoint and shows its secret, once.

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{
    EventType, NewWebhookEndpoint, ProblemCode, Scope, WebhookId, WebhookSecret,
};
use countersign_shared::store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::super::caller;
use super::endpoint::WithSecret;
use super::{description, events, webhook_url};
use crate::front::Front;
use crate::problem::Problem;

/// An endpoint to be added.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookEndpointRequest, example = json!({
    "url": "https://example.com/hooks/countersign", "description": "orders",
    "events": ["verification.succeeded", "verification.failed"],
}))]
struct NewEndpoint {
    /// `https`, to a public address, without credentials; at most 2048 bytes.
    url: String,
    /// Your own words, at most 200 bytes.
    #[serde(default)]
    description: String,
    /// What it is told; an empty list, or none, means everything.
    #[serde(default)]
    events: Vec<EventType>,
}

/// Adds an endpoint, and shows the secret that signs its events, this once.
#[utoipa::path(
    post,
    path = "/v2/webhooks",
    operation_id = "create_webhook",
    tag = "webhooks",
    request_body = NewEndpoint,
    responses((status = 201, description = "It is added.", body = WithSecret, headers(("Location")))),
    security(("bearer" = ["webhook:write"]), ("api_key" = ["webhook:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::MissingField, ProblemCode::InvalidField, ProblemCode::Conflict]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::WebhookWrite).await?;
    let wanted: NewEndpoint = body(payload).await?;
    let secret = WebhookSecret::generate();
    let new = NewWebhookEndpoint {
        id: WebhookId::new(),
        tenant: caller.tenant,
        url: webhook_url(&front, "url", &wanted.url)?,
        description: description(wanted.description)?,
        events: events(wanted.events),
        secret: secret.clone(),
    };
    let added =
        front.webhooks.add_endpoint(&new, front.most_endpoints, caller.actor()).await.map_err(|error| {
            match error {
                StoreError::Conflict => {
                    let detail = format!("a tenant may have {} endpoints", front.most_endpoints);
                    Problem::new(ProblemCode::Conflict, detail)
                }
                other => other.into(),
            }
        })?;
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("/v2/webhooks/{}", added.id)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(WithSecret::new(added, &secret)))
}
