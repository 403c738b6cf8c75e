//! `POST /v2/admin/keys`: makes a key and shows its secret, once.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{
    ApiKey, ApiKeyInfo, KeyId, KeyLimits, ProblemCode, RateLimit, Scope, TenantId, Timestamp,
};
use countersign_shared::store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::key::WithSecret;
use super::{administrator, invalid, limits};
use crate::front::Front;
use crate::problem::Problem;

pub(super) const LONGEST_LABEL: usize = 200;

/// Ten years.
const LONGEST_LIFE_SECONDS: u64 = 10 * 366 * 24 * 60 * 60;

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRequest, example = json!({
    "tenant": "ten_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "label": "till 1",
    "scopes": ["verify:write", "verify:read"], "expires_in": 7_776_000, "monthly_quota": 10_000,
}))]
struct NewKey {
    tenant: TenantId,
    /// Your own name for it.
    #[serde(default)]
    #[schema(max_length = 200)]
    label: String,
    /// What it may do.
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// Seconds for which it is valid; for ever without it.
    #[schema(minimum = 1, maximum = 316_224_000)]
    expires_in: Option<u64>,
    /// Instead of its tenant's.
    rate_limit: Option<RateLimit>,
    /// Instead of its tenant's: verifications a calendar month.
    #[schema(maximum = 1_000_000_000_000_u64)]
    monthly_quota: Option<u64>,
}

/// Makes a key and shows its secret, this once.
#[utoipa::path(
    post,
    path = "/v2/admin/keys",
    operation_id = "create_key",
    tag = "administration",
    request_body = NewKey,
    responses((status = 201, description = "It is made.", body = WithSecret, headers(("Location")))),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([ProblemCode::MissingField, ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = administrator(&front, &request).await?;
    let wanted: NewKey = body(payload).await?;
    let info = info(wanted)?;
    let key = ApiKey::generate();
    front.keys.add_key(&info, &key.hash(), caller.actor()).await.map_err(|error| match error {
        StoreError::NotFound => invalid("`tenant` names no tenant"),
        other => other.into(),
    })?;
    let location = format!("/v2/admin/keys/{}", info.id);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(WithSecret::new(info, &key)))
}

fn info(wanted: NewKey) -> Result<ApiKeyInfo, Problem> {
    let mut scopes: Vec<Scope> = Vec::new();
    for scope in wanted.scopes {
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    if scopes.is_empty() {
        return Err(invalid("`scopes` must name at least one"));
    }
    if wanted.expires_in.is_some_and(|seconds| !(1..=LONGEST_LIFE_SECONDS).contains(&seconds)) {
        return Err(invalid(format!("`expires_in` must be from 1 to {LONGEST_LIFE_SECONDS} seconds")));
    }
    let created_at = Timestamp::now();
    Ok(ApiKeyInfo {
        id: KeyId::new(),
        tenant: wanted.tenant,
        tenant_name: String::new(),
        label: limits::name("label", &wanted.label, LONGEST_LABEL)?,
        scopes,
        created_at,
        expires_at: wanted.expires_in.map(|seconds| created_at.after(Duration::from_secs(seconds))),
        revoked_at: None,
        last_used_at: None,
        limits: KeyLimits {
            rate_limit: wanted.rate_limit.map(limits::rate_limit).transpose()?,
            monthly_quota: wanted.monthly_quota.map(limits::monthly_quota).transpose()?,
        },
    })
}
