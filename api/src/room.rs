//! Whether a lane takes more work.

use std::sync::Arc;
use std::time::Duration;

use countersign_shared::config::{LaneLimits, Lanes};
use countersign_shared::domain::{Lane, ProblemCode, Timestamp};
use countersign_shared::store::{Backlog, VerificationStore};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::problem::Problem;

/// Counting rows costs time in proportion to them, so a count is used for that much longer: a lane of 100,000 is counted
/// once a second at most, and a short one each time.
const KEPT_PER_ROW: Duration = Duration::from_micros(10);

/// How long nobody asks again after the store did not answer: those who wait for their turn would each wait for it.
const KEPT_AWAY: Duration = Duration::from_secs(1);

/// What is known of every lane's backlog.
pub(crate) struct Room {
    verifications: Arc<dyn VerificationStore>,
    limits: Lanes,
    counts: [Mutex<Option<Count>>; Lane::ALL.len()],
}

#[derive(Clone, Copy)]
struct Count {
    /// `None` when the store was away.
    backlog: Option<Backlog>,
    good_until: Instant,
}

impl Room {
    pub(crate) fn new(verifications: Arc<dyn VerificationStore>, limits: Lanes) -> Self {
        Self { verifications, limits, counts: [const { Mutex::const_new(None) }; Lane::ALL.len()] }
    }

    /// Refuses work for a lane that holds as much, or has waited as long, as it may.
    pub(crate) async fn ensure(&self, lane: Lane) -> Result<(), Problem> {
        let limits = self.limits.of(lane);
        // Held while counting: a hundred callers at once need one count.
        let mut known = self.counts[lane as usize].lock().await;
        let count = match *known {
            Some(count) if Instant::now() < count.good_until => count,
            _ => {
                let counted = self.count(lane, limits.max_depth).await;
                let away = Count { backlog: None, good_until: Instant::now() + KEPT_AWAY };
                *known = Some(*counted.as_ref().unwrap_or(&away));
                counted?
            }
        };
        let backlog = count.backlog.ok_or_else(|| Problem::of(ProblemCode::Unavailable))?;
        if takes_more(&backlog, limits, Timestamp::now()) {
            Ok(())
        } else {
            Err(Problem::of(ProblemCode::QueueFull))
        }
    }

    async fn count(&self, lane: Lane, limit: u64) -> Result<Count, Problem> {
        let backlog = self.verifications.backlog(lane, limit).await?;
        let kept = KEPT_PER_ROW * u32::try_from(backlog.queued).unwrap_or(u32::MAX);
        Ok(Count { backlog: Some(backlog), good_until: Instant::now() + kept })
    }
}

fn takes_more(backlog: &Backlog, limits: LaneLimits, now: Timestamp) -> bool {
    backlog.queued < limits.max_depth
        && backlog.oldest.is_none_or(|oldest| now < oldest.after(limits.max_age))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_is_full_by_depth_or_by_age() {
        let limits = LaneLimits { max_depth: 3, max_age: Duration::from_mins(2) };
        let now = Timestamp::now();
        let takes = |queued, waited: Option<u64>| {
            let oldest = waited.map(|seconds| now.before(Duration::from_secs(seconds)));
            takes_more(&Backlog { queued, oldest }, limits, now)
        };
        assert!(takes(0, None) && takes(2, Some(119)) && takes(2, None));
        assert!(!takes(3, Some(0)) && !takes(1, Some(120)));
    }
}
