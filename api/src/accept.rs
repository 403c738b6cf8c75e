//! From a complete upload to a queued verification.

use std::sync::Arc;

use countersign_shared::domain::{
    Completion, NewVerification, ProblemCode, TenantId, Timestamp, VerificationId,
};
use countersign_shared::store::StoreError;
use countersign_shared::telemetry::events;
use tracing::Instrument;

use crate::demand::Demand;
use crate::front::Front;
use crate::idempotency::{Held, under_way};
use crate::problem::Problem;

/// A queued verification that somebody waits for. Dropping it cancels the verification, if no worker has it yet:
/// nobody needs the result.
pub(crate) struct Awaited {
    front: Arc<Front>,
    tenant: TenantId,
    id: VerificationId,
    created_at: Timestamp,
    cancels: bool,
}

impl Awaited {
    pub(crate) const fn tenant(&self) -> TenantId {
        self.tenant
    }

    pub(crate) const fn id(&self) -> VerificationId {
        self.id
    }

    /// As its row says.
    pub(crate) const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// Nobody waits any longer, but the result is still wanted, or is there.
    pub(crate) fn release(mut self) {
        self.cancels = false;
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        // A shutdown ends connections too; their jobs go on after the restart.
        if !self.cancels || self.front.stopping.is_cancelled() {
            return;
        }
        let (verifications, tenant, id) = (Arc::clone(&self.front.verifications), self.tenant, self.id);
        self.front.background.spawn(async move {
            match verifications.cancel(tenant, id).await {
                Ok(()) => tracing::info!(verification.id = %id, "canceled: its client is gone"),
                Err(StoreError::Conflict | StoreError::NotFound) => {}
                Err(error) => tracing::warn!(verification.id = %id, error = %error, "failed to cancel"),
            }
        });
    }
}

/// The answer to be kept for an idempotency key, and the key.
pub(crate) struct Kept {
    pub(crate) held: Held,
    pub(crate) completion: Completion,
}

/// Writes the verification. Runs to its end even when the client vanishes meanwhile, so that row and files can't
/// disagree; what nobody waits for is canceled then.
pub(crate) async fn accept(
    front: &Arc<Front>,
    mut demand: Demand,
    traceparent: Option<String>,
    kept: Option<Kept>,
) -> Result<Awaited, Problem> {
    demand.look_up_challenge(front).await?;
    let Demand { caller, draft, request } = demand;
    let (id, tenant) = (draft.id(), caller.tenant);
    let (held, completion) = kept.map(|Kept { held, completion }| (held, completion)).unzip();
    let new = NewVerification { id, tenant, key: caller.key, request, traceparent, completion };
    let front = Arc::clone(front);
    let background = front.background.clone();
    let writing = async move {
        let written = front.verifications.accept(&new).await;
        if held.is_some() && matches!(written, Err(StoreError::Conflict)) {
            // Nothing was written: another request with the key was quicker, and the files are the draft's to delete.
            return Err(under_way());
        }
        // After an error the row may be there all the same: only the sweep of orphans can tell.
        draft.keep();
        let created_at = written?;
        if let Some(held) = held {
            held.completed();
        }
        events::job_accepted(&new);
        front.room_taken(new.request.lane(), tenant).await;
        Ok(Awaited { front, tenant, id, created_at, cancels: true })
    };
    let awaited = background
        .spawn(writing.in_current_span())
        .await
        .map_err(|panic| Problem::caused_by(ProblemCode::Internal, panic))??;
    tracing::Span::current().record("verification.id", id.to_string());
    Ok(awaited)
}
