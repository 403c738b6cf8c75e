//! Whether a key may bring another verification this month.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_shared::domain::{KeyId, Month, ProblemCode, Timestamp};
use countersign_shared::store::UsageStore;
use tokio::time::Instant;

use crate::auth::Caller;
use crate::problem::Problem;

/// How long a count is used; meanwhile only this process's own calls are added to it.
const KEPT: Duration = Duration::from_secs(1);

/// With this many counts those that are no longer used are thrown away.
const CLEAN_AT: usize = 1024;

/// What the keys that have a quota have used.
pub(crate) struct Quotas {
    usage: Arc<dyn UsageStore>,
    counts: Mutex<HashMap<KeyId, Count>>,
}

#[derive(Clone, Copy)]
struct Count {
    month: Month,
    used: u64,
    good_until: Instant,
}

impl Quotas {
    pub(crate) fn new(usage: Arc<dyn UsageStore>) -> Self {
        Self { usage, counts: Mutex::default() }
    }

    /// Refuses a caller whose quota is used up.
    pub(crate) async fn ensure(&self, caller: &Caller) -> Result<(), Problem> {
        let Some(quota) = caller.monthly_quota else { return Ok(()) };
        let now = Timestamp::now();
        let month = Month::of(now);
        let used = match self.known(caller.key, month) {
            Some(used) => used,
            None => self.count(caller, month).await?,
        };
        if used < quota {
            self.add(caller.key);
            return Ok(());
        }
        let wait = month.end().as_millis().saturating_sub(now.as_millis());
        let detail = format!("the key's {quota} verifications of {month} are used up");
        Err(Problem::new(ProblemCode::QuotaExceeded, detail)
            .with_retry_after(Duration::from_millis(u64::try_from(wait).unwrap_or_default())))
    }

    fn known(&self, key: KeyId, month: Month) -> Option<u64> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.get(&key)?;
        (count.month == month && Instant::now() < count.good_until).then_some(count.used)
    }

    async fn count(&self, caller: &Caller, month: Month) -> Result<u64, Problem> {
        let good_until = Instant::now() + KEPT;
        let used = self.usage.used(caller.tenant, caller.key, month).await?;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= CLEAN_AT {
            let now = Instant::now();
            counts.retain(|_, count| now < count.good_until);
        }
        counts.insert(caller.key, Count { month, used, good_until });
        Ok(used)
    }

    fn add(&self, key: KeyId) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&key) {
            count.used += 1;
        }
    }
}
