//! One event on its way to one receiver.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EventType, WebhookUrl};
use crate::domain::{DeliveryId, TenantId, Timestamp, VerificationId, WebhookId};

/// So many of the last attempts are kept.
pub const LONGEST_ATTEMPT_LOG: u32 = 20;

/// As the store knows it. What is told is made from its subject when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub tenant: TenantId,
    pub recipient: Recipient,
    pub event: EventType,
    pub subject: Subject,
    pub state: DeliveryState,
    /// Since it was last begun: a redelivery counts from 0 again.
    pub attempts: u32,
    /// Set exactly when it is pending; while an attempt runs, when that one is given up for lost.
    pub next_attempt_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// The last of its attempts, oldest first.
    pub log: Vec<DeliveryAttempt>,
}

/// To whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Its URL is looked up when it is sent.
    Endpoint(WebhookId),
    /// The verification's own, signed with the tenant's secret.
    Url(WebhookUrl),
}

/// About what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Verification(VerificationId),
    /// The one that is tested, or that was disabled.
    Endpoint(WebhookId),
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "delivered")]
pub enum DeliveryState {
    /// To be sent, or to be sent again.
    Pending,
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for DeliveryState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|state| state.name() == text)
            .ok_or_else(|| format!("unknown state `{text}`"))
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryAttempt {
    pub at: Timestamp,
    pub duration_ms: u64,
    /// Of the answer, if there was one.
    pub status: Option<u16>,
    /// `None` when it was delivered.
    pub error: Option<DeliveryError>,
}

impl DeliveryAttempt {
    /// Whether its receiver works; nothing is known of one that was not even asked.
    pub const fn shows_that_it_works(&self) -> Option<bool> {
        match self.error {
            None => Some(true),
            Some(DeliveryError::EndpointDisabled) => None,
            Some(_) => Some(false),
        }
    }
}

/// Why an attempt failed: a class, since a receiver's own words may hold anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "timed_out")]
pub enum DeliveryError {
    /// The endpoint was disabled meanwhile; nothing was sent.
    EndpointDisabled,
    /// The URL or one of its host's addresses is none that events may be sent to.
    TargetRefused,
    /// The host's name has no address.
    NameNotFound,
    /// Nobody answered there, or not as TLS demands.
    ConnectionFailed,
    TimedOut,
    /// It broke off, or was no HTTP.
    AnswerUnreadable,
    /// 3xx: a redirect is not followed.
    Redirected,
    /// Any other status than 2xx.
    StatusNotSuccess,
}

impl DeliveryError {
    /// The name on the wire and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EndpointDisabled => "endpoint_disabled",
            Self::TargetRefused => "target_refused",
            Self::NameNotFound => "name_not_found",
            Self::ConnectionFailed => "connection_failed",
            Self::TimedOut => "timed_out",
            Self::AnswerUnreadable => "answer_unreadable",
            Self::Redirected => "redirected",
            Self::StatusNotSuccess => "status_not_success",
        }
    }
}
