//! Keeps a lease while the work goes on.

use std::sync::Arc;
use std::time::Duration;

use countersign_shared::store::{Lease, StoreError, VerificationStore};
use countersign_shared::telemetry::events;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

/// A lease is renewed this many times before it would run out.
const RENEWALS: u32 = 3;

/// Renews a lease until it is dropped, and says when it is lost.
pub(super) struct Keeper {
    lost: CancellationToken,
    task: JoinHandle<()>,
}

impl Keeper {
    pub(super) fn start(store: Arc<dyn VerificationStore>, lease: Lease, period: Duration) -> Self {
        let lost = CancellationToken::new();
        let task = tokio::spawn(keep(store, lease, period, lost.clone()));
        Self { lost, task }
    }

    /// Cancelled when another worker may have the job.
    pub(super) fn lost(&self) -> &CancellationToken {
        &self.lost
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn keep(store: Arc<dyn VerificationStore>, lease: Lease, period: Duration, lost: CancellationToken) {
    let mut held_until = Instant::now() + period;
    while Instant::now() < held_until {
        sleep(period / RENEWALS).await;
        let asked = Instant::now();
        match timeout_at(held_until, store.renew(&lease, period)).await {
            Ok(Ok(())) => held_until = asked + period,
            Ok(Err(StoreError::Conflict)) | Err(_) => break,
            Ok(Err(error)) => events::dependency_failed("renew lease", &error),
        }
    }
    lost.cancel();
}
