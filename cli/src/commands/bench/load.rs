//! Load on a service, and how long its answers took.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use futures::future::try_join_all;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Seconds from the first byte sent to the whole answer read.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct Latencies {
    pub(crate) median: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) longest: f64,
}

impl Latencies {
    pub(crate) fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |fraction| percentile(&times, fraction).as_secs_f64();
        Self { median: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1.0) }
    }
}

/// Of sorted times; `fraction` 0..=1; zero of nothing.
fn percentile(sorted: &[Duration], fraction: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * fraction).round() as usize).copied().unwrap_or_default()
}

/// Clients that each send the next call when they have the answer to the last.
pub(crate) async fn closed<T>(
    clients: usize,
    calls: usize,
    call: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<Vec<T>> {
    let sent = AtomicUsize::new(0);
    let one = async || {
        let mut answers = Vec::new();
        while sent.fetch_add(1, Ordering::Relaxed) < calls {
            answers.push(call().await?);
        }
        anyhow::Ok(answers)
    };
    Ok(try_join_all((0..clients.max(1)).map(|_| one())).await?.into_iter().flatten().collect())
}

/// Calls that arrive at a fixed rate. A late answer holds up no arrival, so nothing hides in a client that waits. Each call
/// comes back with how late it was sent, which counts too.
pub(crate) async fn open<T: Send + 'static, Call>(
    rate: f64,
    calls: usize,
    call: impl Fn() -> Call,
) -> anyhow::Result<Vec<(Duration, T)>>
where
    Call: Future<Output = anyhow::Result<T>> + Send + 'static,
{
    let mut running = JoinSet::new();
    let started = Instant::now();
    for number in 0..calls {
        let due = started + Duration::from_secs_f64(number as f64 / rate);
        sleep_until(due).await;
        let call = call();
        running.spawn(async move {
            let late = due.elapsed();
            anyhow::Ok((late, call.await?))
        });
    }
    let mut answers = Vec::with_capacity(calls);
    while let Some(answer) = running.join_next().await {
        answers.push(answer.context("a call panicked")??);
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let times = (1..=100).rev().map(Duration::from_secs).collect();
        let latencies = Latencies::of(times);
        let whole = |seconds: f64| seconds.round() as u64;
        assert_eq!(
            [latencies.median, latencies.p95, latencies.p99, latencies.longest].map(whole),
            [51, 95, 99, 100]
        );
        assert_eq!(percentile(&[], 0.5), Duration::ZERO);
    }

    #[tokio::test]
    async fn every_call_is_made_once_however_many_clients_there_are() {
        let made = AtomicUsize::new(0);
        let answers = closed(7, 20, async || Ok(made.fetch_add(1, Ordering::Relaxed))).await;
        let mut answers = answers.expect("no call fails");
        answers.sort_unstable();
        assert_eq!(answers, (0..20).collect::<Vec<_>>());
    }
}
