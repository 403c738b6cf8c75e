//! A tenant as administrators see it.

use countersign_shared::domain::{RateLimit, Tenant, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

/// One customer of this installation.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant, example = json!({
    "id": "ten_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "name": "acme", "created_at": "2026-11-27T09:30:00.000Z",
    "suspended_at": null, "rate_limit": {"per_minute": 600, "burst": 60}, "monthly_quota": null,
}))]
pub(super) struct View {
    #[schema(value_type = String)]
    pub(super) id: TenantId,
    name: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// While it is set, the tenant's keys are refused.
    #[schema(required, format = DateTime)]
    suspended_at: Option<String>,
    /// Of each of its keys that has none of its own.
    #[schema(required)]
    rate_limit: Option<RateLimit>,
    /// Of each of its keys that has none of its own: verifications a calendar month.
    #[schema(required)]
    monthly_quota: Option<u64>,
}

impl From<Tenant> for View {
    fn from(tenant: Tenant) -> Self {
        Self {
            id: tenant.id,
            name: tenant.name,
            created_at: tenant.created_at.to_string(),
            suspended_at: tenant.suspended_at.map(|time| time.to_string()),
            rate_limit: tenant.limits.rate_limit,
            monthly_quota: tenant.limits.monthly_quota,
        }
    }
}
