//! Waiting for a verification to finish: woken by the signal, or by the watcher, which looks at the rows of all who wait.

mod watcher;

use std::time::Duration;

use countersign_shared::domain::{TenantId, Verification, VerificationId};
use countersign_shared::signal::Listener;
use countersign_shared::store::StoreError;
use countersign_shared::telemetry::events;
use tokio::time::Instant;

use crate::front::Front;
use crate::problem::Problem;

pub(crate) use self::watcher::Watcher;

/// Before a row is read again that could not be.
pub(crate) const READ_AGAIN: Duration = Duration::from_secs(1);

/// What whoever begins to wait knows of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// It may have ended long ago.
    Nothing,
    /// It was written after the listener was registered: until that says otherwise, the row is queued.
    Queued,
}

/// The finished verification, or `None` when it is not finished after `limit` or the process stops. `listener` must
/// have been registered before the row was written, or at least before it is read here.
pub(crate) async fn finished(
    front: &Front,
    tenant: TenantId,
    id: VerificationId,
    known: Known,
    mut listener: Listener,
    limit: Duration,
) -> Result<Option<Verification>, Problem> {
    let deadline = Instant::now() + limit;
    let mut is_known = known == Known::Queued;
    loop {
        if !is_known {
            is_known = match front.verifications.verification(tenant, id).await {
                Ok(verification) if verification.state.is_final() => return Ok(Some(verification)),
                Ok(_) => true,
                // The job goes on, and the next look may succeed.
                Err(error @ StoreError::Unavailable(_)) => {
                    events::dependency_failed("look for a result", &error);
                    false
                }
                Err(error) => return Err(error.into()),
            };
        }
        tokio::select! {
            () = listener.ended() => {}
            () = tokio::time::sleep(READ_AGAIN), if !is_known => {}
            () = tokio::time::sleep_until(deadline) => return Ok(None),
            () = front.stop_waiting.cancelled() => return Ok(None),
        }
        is_known = false;
    }
}
