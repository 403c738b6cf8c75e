//! `PATCH /v2/admin/keys/{id}`: changes a key's label and limits.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{KeyChange, KeyId, Patch, ProblemCode, RateLimit};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::create_key::LONGEST_LABEL;
use super::key::View;
use super::{administrator, limits, named};
use crate::front::Front;
use crate::problem::Problem;

/// What is to be different; what is left out stays, and null takes a limit away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyChange, example = json!({"monthly_quota": 20_000, "rate_limit": null}))]
struct Change {
    #[schema(max_length = 200)]
    label: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<RateLimit>)]
    rate_limit: Patch<RateLimit>,
    #[serde(default)]
    #[schema(value_type = Option<u64>, maximum = 1_000_000_000_000_u64)]
    monthly_quota: Patch<u64>,
}

/// Changes a key's label and limits. From the next request on; what it may do can't be changed.
#[utoipa::path(
    patch,
    path = "/v2/admin/keys/{id}",
    operation_id = "change_key",
    tag = "administration",
    params(("id" = KeyId, Path, description = "The key.")),
    request_body = Option<Change>,
    responses((status = 200, description = "The key as it is now.", body = View)),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField, ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = administrator(&front, &request).await?;
    let Change { label, rate_limit, monthly_quota } = body(payload).await?;
    let label = label.map(|label| limits::name("label", &label, LONGEST_LABEL)).transpose()?;
    let change = KeyChange { label, limits: limits::change(rate_limit, monthly_quota)? };
    let key = front.keys.change_key(named(&id)?, change, caller.actor()).await?;
    Ok(HttpResponse::Ok().json(View::from(key)))
}
