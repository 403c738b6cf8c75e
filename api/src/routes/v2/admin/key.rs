//! A key as administrators see it: never its secret, but once.

use countersign_shared::domain::{ApiKey, ApiKeyInfo, KeyId, RateLimit, Scope, TenantId};
use serde::Serialize;
use utoipa::ToSchema;

/// An API key without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiKey, example = json!({
    "id": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "tenant": "ten_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    "label": "till 1", "scopes": ["verify:write", "verify:read"], "created_at": "2026-11-27T09:30:00.000Z",
    "expires_at": null, "revoked_at": null, "last_used_at": null, "rate_limit": null, "monthly_quota": 10_000,
}))]
pub(super) struct View {
    id: KeyId,
    tenant: TenantId,
    label: String,
    scopes: Vec<Scope>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    expires_at: Option<String>,
    #[schema(required, format = DateTime)]
    revoked_at: Option<String>,
    /// To the minute.
    #[schema(required, format = DateTime)]
    last_used_at: Option<String>,
    /// Its own; null means its tenant's.
    #[schema(required)]
    rate_limit: Option<RateLimit>,
    /// Its own: verifications a calendar month; null means its tenant's.
    #[schema(required)]
    monthly_quota: Option<u64>,
}

/// A new key with its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = NewApiKey, example = json!({
    "id": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "tenant": "ten_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    "label": "till 1", "scopes": ["verify:write", "verify:read"], "created_at": "2026-11-27T09:30:00.000Z",
    "expires_at": null, "revoked_at": null, "last_used_at": null, "rate_limit": null, "monthly_quota": 10_000,
    "secret": "cs_2f1d…",
}))]
pub(super) struct WithSecret {
    #[serde(flatten)]
    key: View,
    secret: String,
}

impl WithSecret {
    pub(super) fn new(info: ApiKeyInfo, key: &ApiKey) -> Self {
        Self { key: info.into(), secret: key.reveal().to_owned() }
    }
}

impl From<ApiKeyInfo> for View {
    fn from(info: ApiKeyInfo) -> Self {
        Self {
            id: info.id,
            tenant: info.tenant,
            label: info.label,
            scopes: info.scopes,
            created_at: info.created_at.to_string(),
            expires_at: info.expires_at.map(|time| time.to_string()),
            revoked_at: info.revoked_at.map(|time| time.to_string()),
            last_used_at: info.last_used_at.map(|time| time.to_string()),
            rate_limit: info.limits.rate_limit,
            monthly_quota: info.limits.monthly_quota,
        }
    }
}
