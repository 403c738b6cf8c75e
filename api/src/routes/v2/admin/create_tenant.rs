//! `POST /v2/admin/tenants`: makes a tenant.

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{KeyLimits, ProblemCode, RateLimit, Tenant, TenantId, Timestamp};
use countersign_shared::store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::tenant::View;
use super::{administrator, invalid, limits};
use crate::front::Front;
use crate::problem::Problem;

const LONGEST_NAME: usize = 100;

/// A tenant to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTenant, example = json!({"name": "acme", "monthly_quota": 10_000}))]
struct NewTenant {
    /// Unlike any other's; 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// Of each of its keys that has none of its own.
    rate_limit: Option<RateLimit>,
    /// Of each of its keys that has none of its own: verifications a calendar month.
    #[schema(maximum = 1_000_000_000_000_u64)]
    monthly_quota: Option<u64>,
}

/// Makes a tenant.
#[utoipa::path(
    post,
    path = "/v2/admin/tenants",
    operation_id = "create_tenant",
    tag = "administration",
    request_body = NewTenant,
    responses((status = 201, description = "It is made.", body = View, headers(("Location")))),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([
        ProblemCode::MissingField, ProblemCode::InvalidField, ProblemCode::Conflict
    ]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = administrator(&front, &request).await?;
    let NewTenant { name, rate_limit, monthly_quota } = body(payload).await?;
    let name = limits::name("name", &name, LONGEST_NAME)?;
    if name.is_empty() {
        return Err(invalid("`name` must not be empty"));
    }
    let limits = KeyLimits {
        rate_limit: rate_limit.map(limits::rate_limit).transpose()?,
        monthly_quota: monthly_quota.map(limits::monthly_quota).transpose()?,
    };
    let tenant =
        Tenant { id: TenantId::new(), name, created_at: Timestamp::now(), suspended_at: None, limits };
    front.tenants.add_tenant(&tenant, caller.actor()).await.map_err(|error| match error {
        StoreError::Conflict => Problem::new(ProblemCode::Conflict, "there is a tenant of that name"),
        other => other.into(),
    })?;
    let location = format!("/v2/admin/tenants/{}", tenant.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(View::from(tenant)))
}
