//! A server of a tenant's that is told of events.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventType, WebhookSecret, WebhookUrl};
use crate::domain::{TenantId, Timestamp, WebhookId};

/// As the store knows it, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookEndpoint {
    pub id: WebhookId,
    pub tenant: TenantId,
    pub url: WebhookUrl,
    /// The tenant's own words; empty when there are none.
    pub description: String,
    /// What it is told; empty means everything.
    pub events: Vec<EventType>,
    /// Why and since when it is told nothing.
    pub disabled: Option<(DisabledReason, Timestamp)>,
    /// When an attempt failed that none has followed which succeeded.
    pub failing_since: Option<Timestamp>,
    /// Until when the secret before the current one signs too.
    pub previous_secret_until: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl WebhookEndpoint {
    pub const fn is_enabled(&self) -> bool {
        self.disabled.is_none()
    }
}

/// Why an endpoint is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "failing")]
pub enum DisabledReason {
    /// The tenant wants it so.
    Requested,
    /// It answered 410.
    Gone,
    /// It has failed for too long.
    Failing,
}

impl DisabledReason {
    const ALL: [Self; 3] = [Self::Requested, Self::Gone, Self::Failing];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

impl FromStr for DisabledReason {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.name() == text)
            .ok_or_else(|| format!("unknown reason `{text}`"))
    }
}

/// An endpoint about to be added.
#[derive(Debug, Clone)]
pub struct NewWebhookEndpoint {
    pub id: WebhookId,
    pub tenant: TenantId,
    pub url: WebhookUrl,
    pub description: String,
    pub events: Vec<EventType>,
    pub secret: WebhookSecret,
}

/// What is to be different; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct WebhookEndpointChange {
    pub url: Option<WebhookUrl>,
    pub description: Option<String>,
    pub events: Option<Vec<EventType>>,
    /// Enabling it forgets how long it has been failing.
    pub enabled: Option<bool>,
}

impl WebhookEndpointChange {
    /// The names of what it says something about.
    pub fn names(&self) -> Vec<&'static str> {
        let given = [
            ("url", self.url.is_some()),
            ("description", self.description.is_some()),
            ("events", self.events.is_some()),
            ("enabled", self.enabled.is_some()),
        ];
        given.into_iter().filter_map(|(name, given)| given.then_some(name)).collect()
    }
}
