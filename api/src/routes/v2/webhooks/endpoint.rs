//! An endpoint as its tenant sees it: never its secret, but when that is made.

use countersign_shared::domain::{
    DisabledReason, EventType, WebhookEndpoint, WebhookId, WebhookSecret, WebhookUrl,
};
use serde::Serialize;
use utoipa::ToSchema;

/// A server that is told of events.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpoint, example = json!({
    "id": "whk_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "url": "https://example.com/hooks/countersign",
    "description": "orders", "events": ["verification.succeeded", "verification.failed"], "enabled": true,
    "disabled_reason": null, "disabled_at": null, "failing_since": null, "previous_secret_until": null,
    "created_at": "2026-11-27T09:30:00.000Z",
}))]
pub(super) struct View {
    id: WebhookId,
    #[schema(value_type = String)]
    url: WebhookUrl,
    /// Your own words.
    description: String,
    /// What it is told; an empty list means everything.
    events: Vec<EventType>,
    enabled: bool,
    /// `requested`, `gone` (it answered 410) or `failing` (for too long); null while it is enabled.
    #[schema(required)]
    disabled_reason: Option<DisabledReason>,
    #[schema(required, format = DateTime)]
    disabled_at: Option<String>,
    /// Since when no attempt has succeeded; null when the last one did.
    #[schema(required, format = DateTime)]
    failing_since: Option<String>,
    /// Until when the secret before the current one signs too.
    #[schema(required, format = DateTime)]
    previous_secret_until: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// An endpoint with a secret that was made now, and is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointWithSecret, example = json!({
    "id": "whk_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "url": "https://example.com/hooks/countersign",
    "description": "orders", "events": [], "enabled": true,
    "disabled_reason": null, "disabled_at": null, "failing_since": null, "previous_secret_until": null,
    "created_at": "2026-11-27T09:30:00.000Z", "secret": "whsec_…",
}))]
pub(super) struct WithSecret {
    #[serde(flatten)]
    endpoint: View,
    /// `whsec_` and base64: the key of its signatures.
    secret: String,
}

impl WithSecret {
    pub(super) fn new(endpoint: WebhookEndpoint, secret: &WebhookSecret) -> Self {
        Self { endpoint: endpoint.into(), secret: secret.reveal() }
    }
}

impl From<WebhookEndpoint> for View {
    fn from(endpoint: WebhookEndpoint) -> Self {
        Self {
            id: endpoint.id,
            enabled: endpoint.is_enabled(),
            disabled_reason: endpoint.disabled.map(|(reason, _)| reason),
            disabled_at: endpoint.disabled.map(|(_, at)| at.to_string()),
            failing_since: endpoint.failing_since.map(|time| time.to_string()),
            previous_secret_until: endpoint.previous_secret_until.map(|time| time.to_string()),
            created_at: endpoint.created_at.to_string(),
            url: endpoint.url,
            description: endpoint.description,
            events: endpoint.events,
        }
    }
}
