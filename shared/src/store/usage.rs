//! What was used. Accepting a verification adds a row of its own, so that no two wait for each other; the rows are
//! counted later, and until then beside the counters.

use async_trait::async_trait;

use super::StoreError;
use crate::domain::{KeyId, Month, TenantId, Usage};

#[async_trait]
pub trait UsageStore: Send + Sync {
    /// Moves rows into the counters, at most `limit`; how many. Several at once share the work.
    async fn fold_usage(&self, limit: u32) -> Result<u64, StoreError>;
    /// The tenant's usage in that month, by key and kind: at most `limit` lines.
    async fn usage(&self, tenant: TenantId, month: Month, limit: u32) -> Result<Vec<Usage>, StoreError>;
    /// How many verifications that key has brought in that month.
    async fn used(&self, tenant: TenantId, key: KeyId, month: Month) -> Result<u64, StoreError>;
}
