//! Waiting for a verification to finish: woken by the signal, with a slow look at the row in case it was lost.

use std::time::Duration;

use countersign_shared::domain::{TenantId, Verification, VerificationId};
use countersign_shared::signal::Listener;
use countersign_shared::store::StoreError;
use countersign_shared::telemetry::events;
use tokio::time::Instant;

use crate::front::Front;
use crate::problem::Problem;

/// A signal can be lost; the row can't. The pauses between looks are doubled from the first to the last, so that thousands
/// who wait long are no burden to the database.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(4);

/// The finished verification, or `None` when it is not finished after `limit` or the process stops. `listener` must
/// have been registered before the row was written, or at least before it is read here.
pub(crate) async fn finished(
    front: &Front,
    tenant: TenantId,
    id: VerificationId,
    mut listener: Listener,
    limit: Duration,
) -> Result<Option<Verification>, Problem> {
    let deadline = Instant::now() + limit;
    let mut pause = FIRST_PAUSE;
    loop {
        match front.verifications.verification(tenant, id).await {
            Ok(verification) if verification.state.is_final() => return Ok(Some(verification)),
            Ok(_) => {}
            // The job goes on, and the next look may succeed.
            Err(error @ StoreError::Unavailable(_)) => events::dependency_failed("look for a result", &error),
            Err(error) => return Err(error.into()),
        }
        tokio::select! {
            () = listener.changed() => {}
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LAST_PAUSE),
            () = tokio::time::sleep_until(deadline) => return Ok(None),
            () = front.stop_waiting.cancelled() => return Ok(None),
        }
    }
}
