//! Telling a tenant's own servers: what is told, to whom, how it is signed, and where it may be sent.

mod address;
mod delivery;
mod endpoint;
mod event;
mod payload;
mod secret;
mod target;
mod url;

pub use address::is_public;
pub use delivery::{
    Delivery, DeliveryAttempt, DeliveryError, DeliveryState, LONGEST_ATTEMPT_LOG, Recipient, Subject,
};
pub use endpoint::{DisabledReason, NewWebhookEndpoint, WebhookEndpoint, WebhookEndpointChange};
pub use event::EventType;
pub use payload::{Event, EventData};
pub use secret::{InvalidSecret, WebhookSecret, WebhookSecrets};
pub use target::{AllowedTarget, InvalidTarget, RefusedTarget, Targets};
pub use url::{InvalidUrl, WebhookUrl};
