//! Buckets inside one process.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;

use super::{Bucket, RateLimiter, Standing};
use crate::domain::{KeyId, RateLimit};

/// With this many buckets the full ones are thrown away: they are as if they had never been.
const CLEAN_AT: usize = 1024;

pub struct MemoryRates {
    start: Instant,
    buckets: Mutex<Buckets>,
}

struct Buckets {
    full_at: HashMap<KeyId, u64>,
    clean_at: usize,
}

impl Default for MemoryRates {
    fn default() -> Self {
        let buckets = Buckets { full_at: HashMap::new(), clean_at: CLEAN_AT };
        Self { start: Instant::now(), buckets: Mutex::new(buckets) }
    }
}

impl MemoryRates {
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn take_now(&self, key: KeyId, limit: RateLimit) -> Standing {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.start.elapsed().as_micros() as u64;
        buckets.clean(now);
        let full_at = buckets.full_at.entry(key).or_default();
        let (next, standing) = Bucket::new(limit).take(*full_at, now);
        *full_at = next;
        standing
    }
}

impl Buckets {
    /// Costs as much as the calls since the last time.
    fn clean(&mut self, now: u64) {
        if self.full_at.len() >= self.clean_at {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.clean_at = CLEAN_AT.max(self.full_at.len() * 2);
        }
    }
}

#[async_trait]
impl RateLimiter for MemoryRates {
    async fn take(&self, key: KeyId, limit: RateLimit) -> Standing {
        self.take_now(key, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::rate::contract::suite!(MemoryRates::new());

    #[tokio::test]
    async fn full_buckets_are_not_kept() {
        let rates = MemoryRates::new();
        let fast = RateLimit { per_minute: 1_000_000, burst: 1 };
        for _ in 0..10 * CLEAN_AT {
            rates.take_now(KeyId::new(), fast);
        }
        let kept = rates.buckets.lock().unwrap_or_else(PoisonError::into_inner).full_at.len();
        assert!(kept <= CLEAN_AT, "{kept}");
    }
}
