//! What every rate limiter must do.

use std::time::Duration;

use futures::future::join_all;
use tokio::time::sleep;

use super::RateLimiter;
use crate::domain::{KeyId, RateLimit};

/// Slow enough that nothing is given back during a test.
const SLOW: RateLimit = RateLimit { per_minute: 1, burst: 5 };

/// Runs every contract test, each as a test of its own on a fresh limiter.
#[macro_export]
macro_rules! rate_contract {
    ($rates:expr) => {
        $crate::rate_contract!(@each $rates,
            a_burst_is_allowed_and_then_refused
            a_call_is_given_back_in_time
            every_key_has_a_bucket_of_its_own
            concurrent_calls_take_no_more_than_the_burst
            another_limit_counts_at_once
        );
    };
    (@each $rates:expr, $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            $crate::rate::contract::$name(&$rates).await;
        })*
    };
}
pub use rate_contract as suite;

pub async fn a_burst_is_allowed_and_then_refused(rates: &dyn RateLimiter) {
    let key = KeyId::new();
    for remaining in (0..5).rev() {
        let standing = rates.take(key, SLOW).await;
        assert_eq!((standing.limit, standing.remaining, standing.retry_after), (5, remaining, None));
        assert!(standing.reset <= Duration::from_mins(u64::from(5 - remaining)), "{standing:?}");
    }
    let refused = rates.take(key, SLOW).await;
    assert_eq!((refused.limit, refused.remaining), (5, 0));
    let minute = Duration::from_mins(1);
    assert!(refused.retry_after.is_some_and(|wait| wait <= minute && wait > minute / 2), "{refused:?}");
    assert!(refused.reset > minute * 4 && refused.reset <= minute * 5, "{refused:?}");
}

pub async fn a_call_is_given_back_in_time(rates: &dyn RateLimiter) {
    let (key, limit) = (KeyId::new(), RateLimit { per_minute: 600, burst: 1 });
    assert_eq!(rates.take(key, limit).await.retry_after, None);
    let wait = rates.take(key, limit).await.retry_after.expect("it is refused");
    assert!(wait <= Duration::from_millis(100), "{wait:?}");
    // Clocks are read to the microsecond, timers to the millisecond.
    sleep(wait + Duration::from_millis(2)).await;
    assert_eq!(rates.take(key, limit).await.retry_after, None);
}

pub async fn every_key_has_a_bucket_of_its_own(rates: &dyn RateLimiter) {
    let (first, second) = (KeyId::new(), KeyId::new());
    while rates.take(first, SLOW).await.retry_after.is_none() {}
    assert_eq!(rates.take(second, SLOW).await.remaining, 4);
}

pub async fn concurrent_calls_take_no_more_than_the_burst(rates: &dyn RateLimiter) {
    let key = KeyId::new();
    let calls = join_all((0..40).map(|_| rates.take(key, SLOW))).await;
    assert_eq!(calls.iter().filter(|standing| standing.retry_after.is_none()).count(), 5);
}

pub async fn another_limit_counts_at_once(rates: &dyn RateLimiter) {
    let key = KeyId::new();
    while rates.take(key, SLOW).await.retry_after.is_none() {}
    let raised = rates.take(key, RateLimit { per_minute: 1, burst: 10 }).await;
    assert_eq!((raised.retry_after, raised.remaining), (None, 4));
}
