//! Erasing a verification: its rows at once, its media as soon as they can be reached.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Actor, TenantId, VerificationId};

#[async_trait]
pub trait ErasureStore: Send + Sync {
    /// Deletes the verification and every row about it in ONE transaction, whatever its state, and writes the tombstone.
    /// A worker that holds it has lost its lease then. Its media are still to be deleted.
    async fn erase(&self, tenant: TenantId, id: VerificationId, actor: Actor) -> Result<(), StoreError>;
    /// Erased verifications whose media may still be there: the oldest, at most `limit`.
    async fn media_to_erase(&self, limit: u32) -> Result<Vec<VerificationId>, StoreError>;
    /// Notes in the audit log that the media are gone. `NotFound` when it has been noted.
    async fn media_erased(&self, id: VerificationId) -> Result<(), StoreError>;
}
