//! Waiting for a verification to finish: woken by the signal, with a slow look at the row in case it was lost.

use std::time::Duration;

use countersign_shared::domain::{TenantId, Verification, VerificationId};
use countersign_shared::signal::Listener;
use tokio::time::Instant;

use crate::front::Front;
use crate::problem::Problem;

/// A signal can be lost; the row can't.
const LOOK_EVERY: Duration = Duration::from_secs(1);

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
    loop {
        let verification = front.verifications.verification(tenant, id).await?;
        if verification.state.is_final() {
            return Ok(Some(verification));
        }
        tokio::select! {
            () = listener.changed() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = tokio::time::sleep_until(deadline) => return Ok(None),
            () = front.stop_waiting.cancelled() => return Ok(None),
        }
    }
}
