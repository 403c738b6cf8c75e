//! A moderator's decision, which stands beside the machine's and never changes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use utoipa::ToSchema;

use super::{KeyId, Timestamp};

/// What a moderator decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(example = "approved")]
pub enum Decision {
    Approved,
    Rejected,
    /// Left to somebody else.
    Escalated,
}

impl Decision {
    pub const ALL: [Self; 3] = [Self::Approved, Self::Rejected, Self::Escalated];

    /// The name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Escalated => "escalated",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Decision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|decision| decision.name() == text)
            .ok_or_else(|| format!("unknown decision `{text}`"))
    }
}

/// A decision about to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    pub decision: Decision,
    pub reason: Option<String>,
    /// The key that it came with.
    pub reviewer: KeyId,
}

/// A moderator's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({
    "decision": "approved",
    "reason": "the person was called back",
    "reviewer": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a7",
    "at": "2026-11-27T08:30:00.000Z"
}))]
pub struct Review {
    pub decision: Decision,
    /// Why, for people.
    #[schema(required)]
    pub reason: Option<String>,
    /// The API key that it came with.
    pub reviewer: KeyId,
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for decision in Decision::ALL {
            assert_eq!(decision.name().parse(), Ok(decision));
        }
        assert!("maybe".parse::<Decision>().is_err());
    }
}
