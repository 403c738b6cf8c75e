//! A delivery as its tenant sees it.

use countersign_shared::domain::{
    Delivery, DeliveryAttempt, DeliveryError, DeliveryId, DeliveryState, EventType, Recipient, Subject,
    VerificationId, WebhookId,
};
use serde::Serialize;
use utoipa::ToSchema;

/// One event on its way to one endpoint, or to a verification's own URL.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookDelivery, example = json!({
    "id": "msg_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "event": "verification.succeeded",
    "verification": "ver_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "endpoint": "whk_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    "state": "delivered", "attempts": 2, "next_attempt_at": null, "created_at": "2026-11-27T09:30:00.000Z",
    "finished_at": "2026-11-27T09:30:05.512Z",
    "log": [
        {"at": "2026-11-27T09:30:00.021Z", "duration_ms": 84, "status": 500, "error": "status_not_success"},
        {"at": "2026-11-27T09:30:05.430Z", "duration_ms": 82, "status": 200, "error": null},
    ],
}))]
pub(super) struct View {
    /// The header `webhook-id` of every attempt.
    id: DeliveryId,
    event: EventType,
    /// What it is about; null for a test and for a notice.
    #[schema(required)]
    verification: Option<VerificationId>,
    /// Where it goes; null when that is the verification's own `webhook_url`.
    #[schema(required)]
    endpoint: Option<WebhookId>,
    /// `pending`, `delivered` or `failed`.
    state: DeliveryState,
    /// Since it was last begun: a redelivery counts from 0 again.
    attempts: u32,
    #[schema(required, format = DateTime)]
    next_attempt_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    finished_at: Option<String>,
    /// The last attempts, oldest first.
    log: Vec<AttemptView>,
}

/// What came of one attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookAttempt, example = json!({
    "at": "2026-11-27T09:30:05.430Z", "duration_ms": 82, "status": 200, "error": null,
}))]
struct AttemptView {
    #[schema(format = DateTime)]
    at: String,
    duration_ms: u64,
    /// Of the answer, if there was one.
    #[schema(required)]
    status: Option<u16>,
    /// Why it failed; null when it was delivered.
    #[schema(required)]
    error: Option<DeliveryError>,
}

impl From<DeliveryAttempt> for AttemptView {
    fn from(attempt: DeliveryAttempt) -> Self {
        Self {
            at: attempt.at.to_string(),
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error,
        }
    }
}

impl From<Delivery> for View {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            event: delivery.event,
            verification: match delivery.subject {
                Subject::Verification(id) => Some(id),
                Subject::Endpoint(_) => None,
            },
            endpoint: match delivery.recipient {
                Recipient::Endpoint(id) => Some(id),
                Recipient::Url(_) => None,
            },
            state: delivery.state,
            attempts: delivery.attempts,
            next_attempt_at: delivery.next_attempt_at.map(|time| time.to_string()),
            created_at: delivery.created_at.to_string(),
            finished_at: delivery.finished_at.map(|time| time.to_string()),
            log: delivery.log.into_iter().map(AttemptView::from).collect(),
        }
    }
}
