//! One look at the rows of all who wait, for the whole process: what a lost signal did not tell, this finds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_shared::domain::{State, VerificationId};
use countersign_shared::signal::{Change, Signal};
use countersign_shared::store::Overview;
use countersign_shared::telemetry::events;
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

/// Between two looks while the signal arrives: only what got lost on the way is left to be found.
const USUALLY: Duration = Duration::from_secs(2);

/// Between two looks while it does not.
const WITHOUT_SIGNAL: Duration = Duration::from_millis(500);

/// How many rows one query asks for.
const CHUNK: usize = 500;

/// Looks for as long as it lives.
pub(crate) struct Watcher {
    _looking: AbortOnDropHandle<()>,
}

impl Watcher {
    pub(crate) fn start(signal: Arc<dyn Signal>, overview: Arc<dyn Overview>, runtime: &Handle) -> Self {
        let looking = async move {
            let mut hearing = signal.hearing();
            let mut seen = Seen::default();
            loop {
                let pause = if *hearing.borrow_and_update() { USUALLY } else { WITHOUT_SIGNAL };
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    // Once it is back, the rows say what was missed.
                    changed = hearing.changed() => if changed.is_err() { tokio::time::sleep(pause).await },
                }
                look(signal.as_ref(), overview.as_ref(), &mut seen).await;
            }
        };
        Self { _looking: AbortOnDropHandle::new(runtime.spawn(looking)) }
    }
}

/// What the last look saw of those who are waited for. `None` where there was no row.
#[derive(Default)]
struct Seen(HashMap<VerificationId, Option<(State, u32)>>);

impl Seen {
    /// Whether those who wait may not know of it. Whoever came since the last look has read the row since.
    fn is_news(&mut self, id: VerificationId, now: Option<(State, u32)>) -> bool {
        let before = self.0.insert(id, now).unwrap_or(Some((State::Queued, 0)));
        before != now
    }
}

/// Wakes those whose row has changed since the last look, and no others.
async fn look(signal: &dyn Signal, overview: &dyn Overview, seen: &mut Seen) {
    let waited_for = signal.listened();
    let mut still = Seen::default();
    for ids in waited_for.chunks(CHUNK) {
        let progress = match overview.progress(ids).await {
            Ok(progress) => progress,
            Err(error) => {
                events::dependency_failed("look for results", &error);
                return;
            }
        };
        let found: HashMap<VerificationId, (State, u32)> =
            progress.into_iter().map(|row| (row.id, (row.state, row.attempts))).collect();
        for id in ids {
            if let Some(known) = seen.0.remove(id) {
                still.0.insert(*id, known);
            }
            if still.is_news(*id, found.get(id).copied()) {
                signal.wake(*id, change(found.get(id).copied()));
            }
        }
    }
    *seen = still;
}

/// An erased verification has no row, and ends all the same.
fn change(now: Option<(State, u32)>) -> Change {
    match now {
        Some((state, _)) if !state.is_final() => Change::Progress,
        _ => Change::End,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_news_once() {
        let (mut seen, id) = (Seen::default(), VerificationId::new());
        let (queued, processing) = (Some((State::Queued, 0)), Some((State::Processing, 1)));
        assert!(!seen.is_news(id, queued), "as everything begins");
        assert!(seen.is_news(id, processing) && !seen.is_news(id, processing));
        assert!(seen.is_news(id, None) && !seen.is_news(id, None), "erased");
        assert!(seen.is_news(VerificationId::new(), processing), "whoever waits may have seen it queued");
    }
}
