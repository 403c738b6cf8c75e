//! Many callers, who ask again when they are refused, and remember what they were told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::Rng;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::cluster::callers::{Caller, Told};

/// The longest that a caller waits before its next call.
const LONGEST_PAUSE: Duration = Duration::from_millis(1500);

/// Every so many calls is an asynchronous one.
const SUBMITS_EVERY: u64 = 4;

/// What was told to all callers.
#[derive(Default)]
pub(super) struct Tally {
    /// Identifier and number of the job whose result was given: asked for, and received.
    pub(super) results: Vec<(String, u64, u64)>,
    /// Identifier and number of jobs whose result was to come later.
    pub(super) accepted: Vec<(String, u64)>,
    /// Calls that had to be made again, by reason.
    pub(super) again: BTreeMap<&'static str, u64>,
    /// Answers that no client should get.
    pub(super) odd: Vec<String>,
}

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    callers: JoinSet<Tally>,
}

impl Load {
    pub(super) fn start(key: &str, urls: Vec<String>, callers: usize) -> Self {
        let (stop, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (urls, numbers) = (Arc::new(urls), Arc::new(AtomicU64::new(1)));
        let mut running = JoinSet::new();
        for _ in 0..callers {
            let one = One {
                caller: Caller::new(key),
                urls: Arc::clone(&urls),
                numbers: Arc::clone(&numbers),
                done: Arc::clone(&done),
                tally: Tally::default(),
            };
            running.spawn(one.run(Arc::clone(&stop)));
        }
        Self { stop, done, callers: running }
    }

    /// Once that many jobs were accepted, nobody calls any more; what is under way is waited for.
    pub(super) async fn stop_after(mut self, jobs: u64) -> Tally {
        while self.done.load(Ordering::Relaxed) < jobs {
            sleep(Duration::from_millis(100)).await;
        }
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Tally::default();
        while let Some(tally) = self.callers.join_next().await {
            all.add(tally.expect("a caller ends"));
        }
        all
    }
}

struct One {
    caller: Caller,
    urls: Arc<Vec<String>>,
    numbers: Arc<AtomicU64>,
    done: Arc<AtomicU64>,
    tally: Tally,
}

impl One {
    async fn run(mut self, stop: Arc<AtomicBool>) -> Tally {
        while !stop.load(Ordering::Relaxed) {
            let pause = rand::rng().random_range(Duration::ZERO..LONGEST_PAUSE);
            sleep(pause).await;
            self.job(&stop).await;
        }
        self.tally
    }

    /// One job, asked for until it is accepted. Each time it is another one: a call whose connection broke may have been
    /// accepted.
    async fn job(&mut self, stop: &AtomicBool) {
        let mut front_end: usize = rand::random_range(0..self.urls.len());
        while !stop.load(Ordering::Relaxed) {
            let asked = self.numbers.fetch_add(1, Ordering::Relaxed);
            let url = &self.urls[front_end % self.urls.len()];
            let told = if asked.is_multiple_of(SUBMITS_EVERY) {
                self.caller.submit(url, "batch", asked).await
            } else {
                self.caller.spoofdetect(url, asked).await
            };
            match told {
                Told::Result { id, number } => {
                    self.tally.results.push((id, asked, number));
                    break;
                }
                Told::Accepted { id } => {
                    self.tally.accepted.push((id, asked));
                    break;
                }
                Told::Refused { .. } => *self.tally.again.entry("refused (503)").or_default() += 1,
                Told::Nothing => *self.tally.again.entry("no answer").or_default() += 1,
                Told::Odd(answer) => {
                    self.tally.odd.push(answer);
                    return;
                }
            }
            front_end += 1;
            sleep(Duration::from_millis(200)).await;
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Tally {
    /// One line for each kind of answer.
    pub(super) fn table(&self) -> String {
        let again: Vec<String> =
            self.again.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
        format!(
            "{:<48} {}\n{:<48} {}\n{:<48} {}",
            "results given",
            self.results.len(),
            "told that the result comes later",
            self.accepted.len(),
            "asked again",
            again.join(", ")
        )
    }

    fn add(&mut self, other: Self) {
        self.results.extend(other.results);
        self.accepted.extend(other.accepted);
        self.odd.extend(other.odd);
        for (reason, count) in other.again {
            *self.again.entry(reason).or_default() += count;
        }
    }
}
