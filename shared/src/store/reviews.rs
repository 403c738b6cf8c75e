//! The port to moderators' decisions.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{NewReview, Review, TenantId, VerificationId};

/// The most decisions on one verification.
pub const MOST_REVIEWS: u32 = 100;

/// Moderators' decisions: added, never changed.
#[async_trait]
pub trait ReviewStore: Send + Sync {
    /// Notes a decision on a verification that has succeeded or failed. `Conflict` when it has not, or has
    /// [`MOST_REVIEWS`].
    async fn add_review(
        &self,
        tenant: TenantId,
        id: VerificationId,
        new: &NewReview,
    ) -> Result<Review, StoreError>;
    /// Every decision, the latest first.
    async fn reviews(&self, tenant: TenantId, id: VerificationId) -> Result<Vec<Review>, StoreError>;
}
