//! `PATCH /v2/admin/tenants/{id}`: suspends or resumes a tenant, changes its limits.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Patch, ProblemCode, RateLimit, TenantChange, TenantId};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::tenant::View;
use super::{administrator, limits, named};
use crate::front::Front;
use crate::problem::Problem;

/// What is to be different; what is left out stays, and null takes a limit away.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TenantChange, example = json!({"suspended": true}))]
struct Change {
    /// Whether its keys are refused.
    suspended: Option<bool>,
    #[serde(default)]
    #[schema(value_type = Option<RateLimit>)]
    rate_limit: Patch<RateLimit>,
    #[serde(default)]
    #[schema(value_type = Option<u64>, maximum = 1_000_000_000_000_u64)]
    monthly_quota: Patch<u64>,
}

/// Suspends or resumes a tenant, or changes the limits of its keys. From the next request on.
#[utoipa::path(
    patch,
    path = "/v2/admin/tenants/{id}",
    operation_id = "change_tenant",
    tag = "administration",
    params(("id" = TenantId, Path, description = "The tenant.")),
    request_body = Option<Change>,
    responses((status = 200, description = "The tenant as it is now.", body = View)),
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
    let Change { suspended, rate_limit, monthly_quota } = body(payload).await?;
    let limits = limits::change(rate_limit, monthly_quota)?;
    let change = TenantChange { suspended, limits };
    let tenant = front.tenants.change_tenant(named(&id)?, change, caller.actor()).await?;
    Ok(HttpResponse::Ok().json(View::from(tenant)))
}
