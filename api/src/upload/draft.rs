//! The files of a request that is not accepted yet: gone again unless it is.

use std::sync::Arc;

use countersign_shared::blob::Blobs;
use countersign_shared::domain::VerificationId;

use crate::background::Background;

/// Whatever was stored under its id is deleted when it is dropped: after a refusal, a timeout, a disconnect, a panic.
pub(crate) struct Draft {
    id: VerificationId,
    blobs: Arc<dyn Blobs>,
    background: Background,
    discards: bool,
}

impl Draft {
    pub(super) fn new(id: VerificationId, blobs: Arc<dyn Blobs>, background: Background) -> Self {
        Self { id, blobs, background, discards: false }
    }

    pub(crate) const fn id(&self) -> VerificationId {
        self.id
    }

    /// From now on there is something to delete.
    pub(super) fn begin(&mut self) {
        self.discards = true;
    }

    /// The files belong to an accepted verification, or may: the sweep of orphans decides.
    pub(crate) fn keep(mut self) {
        self.discards = false;
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.discards {
            return;
        }
        let (id, blobs) = (self.id, Arc::clone(&self.blobs));
        self.background.spawn(async move {
            if let Err(error) = blobs.delete_all(id).await {
                tracing::warn!(verification.id = %id, error = %error, "failed to delete a refused upload; the sweep will");
            }
        });
    }
}
