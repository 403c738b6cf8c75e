//! The port to what a queue has set aside, for the operator.

use async_trait::async_trait;
use serde::Serialize;

use super::{JobMessage, QueueError};
use crate::domain::{Lane, Timestamp};

/// Messages that were given back too often, or that nobody could read. Nothing leaves them by itself.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The oldest ones, at most `limit`. They stay where they are, though others don't see them for a moment.
    async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, QueueError>;
    /// Sends at most `limit` of them to their lanes again, the oldest first. What can't be read stays.
    async fn replay(&self, limit: usize) -> Result<Replayed, QueueError>;
    /// Deletes all of them for good and says how many there were. The rows that they are about stay.
    async fn purge(&self) -> Result<u64, QueueError>;
}

/// A message that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Where it waited, unless that is a lane which this build does not know.
    pub lane: Option<Lane>,
    /// What it says, if this build can read it.
    pub message: Option<JobMessage>,
    pub size_bytes: usize,
    /// In the broker's words: `delivery_limit`, `rejected`.
    pub reason: String,
    pub died_at: Option<Timestamp>,
    /// How often it was set aside for this reason.
    pub deaths: u64,
}

/// What a replay did.
#[derive(Debug, Default)]
pub struct Replayed {
    /// They wait in their lanes again.
    pub sent: u64,
    /// They can't be read, or their lane is unknown.
    pub left: u64,
    /// Why it ended early.
    pub stopped_by: Option<QueueError>,
}
