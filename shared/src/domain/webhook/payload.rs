//! What a receiver reads: made from the rows when it is sent, so that no second copy of anything is kept.

use serde::Serialize;

use super::{Delivery, DisabledReason, EventType, WebhookEndpoint};
use crate::domain::{Summary, Verification, WebhookId};

/// The body of every delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    pub r#type: EventType,
    /// When it happened.
    pub timestamp: String,
    pub data: EventData,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum EventData {
    Verification(Summary),
    /// The endpoint that is tested, or that was disabled. Its URL, which may hold a token, is nobody else's business.
    Endpoint {
        endpoint: WebhookId,
        description: String,
        disabled_reason: Option<DisabledReason>,
        disabled_at: Option<String>,
    },
}

impl Event {
    pub fn of_verification(delivery: &Delivery, verification: &Verification) -> Self {
        Self::new(delivery, EventData::Verification(Summary::from(verification)))
    }

    pub fn of_endpoint(delivery: &Delivery, endpoint: &WebhookEndpoint) -> Self {
        let data = EventData::Endpoint {
            endpoint: endpoint.id,
            description: endpoint.description.clone(),
            disabled_reason: endpoint.disabled.map(|(reason, _)| reason),
            disabled_at: endpoint.disabled.map(|(_, at)| at.to_string()),
        };
        Self::new(delivery, data)
    }

    fn new(delivery: &Delivery, data: EventData) -> Self {
        Self { r#type: delivery.event, timestamp: delivery.created_at.to_string(), data }
    }
}
