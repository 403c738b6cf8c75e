//! The port to the digits that were issued. [`VerificationStore::accept`](super::VerificationStore::accept) uses them up.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{Challenge, ChallengeId, Digits, TenantId};

#[async_trait]
pub trait ChallengeStore: Send + Sync {
    /// Writes a challenge that is open for `lifetime` from now.
    async fn issue(
        &self,
        tenant: TenantId,
        digits: Digits,
        lifetime: Duration,
    ) -> Result<Challenge, StoreError>;
    async fn challenge(&self, tenant: TenantId, id: ChallengeId) -> Result<Challenge, StoreError>;
}
