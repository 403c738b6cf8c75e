//! The port to the answers that are kept for requests that come twice.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{KeptAnswer, Reservation, Timestamp};

/// What came of asking for a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It is this request's. The time is the store's own.
    Held(Timestamp),
    /// Another request with this key is under way.
    Taken,
    /// A request with this key was accepted.
    Answered(KeptAnswer),
}

/// Keys of requests that are done once. [`VerificationStore::accept`](super::VerificationStore::accept) writes the answer.
#[async_trait]
pub trait IdempotencyStore: Send + Sync {
    /// Takes the key for `lease` from now, unless another request has it or its answer is kept. Asked again by the same
    /// request, it extends the lease. Whoever finds the key taken may ask as often as it likes: nothing is written then.
    async fn reserve(&self, reservation: &Reservation, lease: Duration) -> Result<Reserved, StoreError>;
    /// Frees the key, if it is still this request's and no answer is kept for it.
    async fn release(&self, reservation: &Reservation) -> Result<(), StoreError>;
}
