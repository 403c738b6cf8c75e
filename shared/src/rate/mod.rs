//! The port that says how often a key may call. What it cannot ask it allows within this process's own knowledge: a limit
//! protects the service, so losing sight of one never fails a call.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;
mod redis;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::config;
use crate::domain::{KeyId, RateLimit};

pub use self::memory::MemoryRates;
pub use self::redis::RedisRates;

/// Where the signal is, the rates are: both are the processes' shared knowledge of a moment.
pub fn open(settings: &config::Signal) -> Result<Arc<dyn RateLimiter>, OpenError> {
    if settings.url.as_str() == "memory://" {
        return Ok(Arc::new(MemoryRates::new()));
    }
    Ok(Arc::new(RedisRates::open(&settings.url, redis::PREFIX)?))
}

/// The rates can't be kept there.
#[derive(Debug, thiserror::Error)]
#[error("signal.url is no address of a Redis server: {url}")]
pub struct OpenError {
    url: config::ServiceUrl,
    source: ::redis::RedisError,
}

#[async_trait]
pub trait RateLimiter: Send + Sync {
    /// Takes one call out of the key's bucket, if there is one.
    async fn take(&self, key: KeyId, limit: RateLimit) -> Standing;
}

/// How a key stands after a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Calls that may come at once.
    pub limit: u32,
    /// Calls that may still come now.
    pub remaining: u32,
    /// Until the bucket is full again.
    pub reset: Duration,
    /// Set when the call is refused: until one would be allowed.
    pub retry_after: Option<Duration>,
}

/// A bucket that is refilled all the time, written as the moment at which it is full: one number, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Bucket {
    /// In which one call is given back.
    interval: u64,
    burst: u32,
}

impl Bucket {
    fn new(limit: RateLimit) -> Self {
        let per_minute = u64::from(limit.per_minute.max(1));
        Self { interval: Duration::from_mins(1).as_micros() as u64 / per_minute, burst: limit.burst.max(1) }
    }

    /// The time that a full bucket holds.
    const fn depth(self) -> u64 {
        self.interval * self.burst as u64
    }

    /// When the bucket is full after a call at `now`, and how its key stands then.
    fn take(self, full_at: u64, now: u64) -> (u64, Standing) {
        let full_at = full_at.max(now);
        let next = full_at + self.interval;
        if next <= now + self.depth() {
            return (next, self.standing(next - now, None));
        }
        (full_at, self.standing(full_at - now, Some(next - now - self.depth())))
    }

    fn standing(self, reset: u64, retry_after: Option<u64>) -> Standing {
        Standing {
            limit: self.burst,
            remaining: (self.depth().saturating_sub(reset) / self.interval) as u32,
            reset: Duration::from_micros(reset),
            retry_after: retry_after.map(Duration::from_micros),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let bucket = Bucket::new(RateLimit { per_minute: 60, burst: 3 });
        let mut full_at = 0;
        let mut take = |now: u64| {
            let (next, standing) = bucket.take(full_at, now);
            full_at = next;
            (standing.remaining, standing.retry_after.map(|wait| wait.as_micros() as u64))
        };
        let start = 1_000 * SECOND;
        assert_eq!([take(start), take(start), take(start)], [(2, None), (1, None), (0, None)]);
        assert_eq!(take(start), (0, Some(SECOND)));
        assert_eq!(take(start + SECOND / 4), (0, Some(SECOND * 3 / 4)));
        assert_eq!(take(start + SECOND), (0, None));
        assert_eq!(take(start + SECOND), (0, Some(SECOND)));
        assert_eq!(take(start + 60 * SECOND), (2, None), "it never holds more than its burst");
    }

    proptest! {
        #[test]
        fn who_waits_as_long_as_told_is_allowed(
            per_minute in 1_u32..100_000, burst in 1_u32..1000, pauses in prop::collection::vec(0_u64..SECOND, 1..200)
        ) {
            let bucket = Bucket::new(RateLimit { per_minute, burst });
            let (mut full_at, mut now) = (0, 1_000 * SECOND);
            for pause in pauses {
                now += pause;
                let (next, standing) = bucket.take(full_at, now);
                full_at = next;
                prop_assert!(standing.remaining <= burst);
                if let Some(wait) = standing.retry_after {
                    now += wait.as_micros() as u64;
                    let (next, standing) = bucket.take(full_at, now);
                    full_at = next;
                    prop_assert_eq!(standing.retry_after, None);
                }
            }
        }
    }
}
