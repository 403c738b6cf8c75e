//! What can be told.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::State;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[schema(example = "verification.succeeded")]
pub enum EventType {
    #[serde(rename = "verification.succeeded")]
    Succeeded,
    #[serde(rename = "verification.failed")]
    Failed,
    #[serde(rename = "verification.canceled")]
    Canceled,
    /// Somebody asked for a test.
    #[serde(rename = "webhook.test")]
    Test,
    /// Another endpoint of the tenant was disabled, since it was gone or failed for too long.
    #[serde(rename = "webhook.disabled")]
    Disabled,
}

impl EventType {
    pub const ALL: [Self; 5] = [Self::Succeeded, Self::Failed, Self::Canceled, Self::Test, Self::Disabled];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "verification.succeeded",
            Self::Failed => "verification.failed",
            Self::Canceled => "verification.canceled",
            Self::Test => "webhook.test",
            Self::Disabled => "webhook.disabled",
        }
    }

    /// What is told of a verification that has reached that state. The stores write the same: the state after
    /// `verification.`.
    pub const fn of(state: State) -> Option<Self> {
        match state {
            State::Succeeded => Some(Self::Succeeded),
            State::Failed => Some(Self::Failed),
            State::Canceled => Some(Self::Canceled),
            State::Queued | State::Processing | State::Expired => None,
        }
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for EventType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|event| event.name() == text)
            .ok_or_else(|| format!("unknown event type; known: {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_a_verifications_event_is_named_by_its_state() {
        for event in EventType::ALL {
            assert_eq!(event.name().parse(), Ok(event));
            assert_eq!(serde_json::to_value(event).ok(), Some(event.name().into()));
        }
        for state in State::ALL {
            let name = format!("verification.{}", state.name());
            assert_eq!(EventType::of(state), name.parse().ok(), "{name}");
        }
    }
}
