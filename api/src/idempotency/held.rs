//! A key in the hands of one request.

use std::sync::Arc;

use countersign_shared::domain::{Completion, Fingerprint, Reservation, Timestamp};
use countersign_shared::telemetry::events;
use tokio::time::Instant;

use crate::front::Front;

/// Dropping it frees the key: after a refusal, a timeout, a disconnect, a panic.
pub(crate) struct Held {
    front: Arc<Front>,
    reservation: Reservation,
    /// The store's clock when the key was reserved, and ours.
    reserved_at: Timestamp,
    since: Instant,
    releases: bool,
}

impl Held {
    pub(super) fn new(front: &Arc<Front>, reservation: Reservation, reserved_at: Timestamp) -> Self {
        Self { front: Arc::clone(front), reservation, reserved_at, since: Instant::now(), releases: true }
    }

    /// The time by the store's clock, without asking it again.
    pub(crate) fn now(&self) -> Timestamp {
        self.reserved_at.after(self.since.elapsed())
    }

    /// What is to be kept for the key.
    pub(crate) fn completion(
        &self,
        fingerprint: Fingerprint,
        created_at: Timestamp,
        answer: Vec<u8>,
    ) -> Completion {
        let (reservation, keep) = (self.reservation.clone(), self.front.keep_answers);
        Completion { reservation, fingerprint, created_at, answer, keep }
    }

    /// Its answer is kept: there is nothing to free.
    pub(crate) fn completed(mut self) {
        self.releases = false;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.releases {
            return;
        }
        let (idempotency, reservation) = (Arc::clone(&self.front.idempotency), self.reservation.clone());
        self.front.background.spawn(async move {
            // Then the lease runs out.
            if let Err(error) = idempotency.release(&reservation).await {
                events::dependency_failed("release a key", &error);
            }
        });
    }
}
