//! The port that wakes those who wait for a result. A signal may be lost: the row is the truth, and waiters poll slowly.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::domain::VerificationId;

pub use memory::MemorySignal;

#[async_trait]
pub trait Signal: Send + Sync {
    /// Tells everyone who listens that the verification has changed. Never fails: a lost signal is only slower.
    async fn announce(&self, id: VerificationId);
    /// Registers at once; register BEFORE reading the row.
    async fn listen(&self, id: VerificationId) -> Listener;
}

/// A registration. Dropping it unregisters.
pub struct Listener {
    next: Box<dyn FnMut() -> BoxFuture<'static, ()> + Send>,
}

impl Listener {
    pub fn new(next: impl FnMut() -> BoxFuture<'static, ()> + Send + 'static) -> Self {
        Self { next: Box::new(next) }
    }

    /// Returns after an announcement made since the registration or since the last return.
    pub async fn changed(&mut self) {
        (self.next)().await;
    }
}
