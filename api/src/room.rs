//! Whether a lane takes more of a tenant's work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign_shared::config::{LaneLimits, Lanes};
use countersign_shared::domain::{Lane, ProblemCode, TenantId};
use countersign_shared::store::{Backlog, VerificationStore};
use tokio::time::Instant;

use crate::problem::Problem;

/// A full lane is still open to a tenant that has less than this part of its depth in it, so that nobody who fills it
/// shuts out the others; and to all of them together until it holds twice its depth.
const SHARE_OF_A_FULL_LANE: u64 = 10;
const OVERFULL: u64 = 2;

/// How long a count is used while the lane is not half full: what this front end adds meanwhile is added to it, what
/// others add is overlooked.
const KEPT: Duration = Duration::from_millis(100);

/// Counting rows costs time in proportion to them, so a count is used for that much longer: a lane of 100,000 is counted
/// once a second at most.
const KEPT_PER_ROW: Duration = Duration::from_micros(10);

/// How long nobody asks again after the store did not answer: those who wait for their turn would each wait for it.
const KEPT_AWAY: Duration = Duration::from_secs(1);

/// Counts that are remembered at the most; beyond them, old ones are forgotten.
const MOST_COUNTS: usize = 10_000;

/// What is known of every lane's backlog, for each tenant that has lately sent something.
pub(crate) struct Room {
    verifications: Arc<dyn VerificationStore>,
    limits: Lanes,
    counts: Mutex<HashMap<(Lane, TenantId), Known>>,
}

/// Held while counting: a hundred callers at once need one count.
type Known = Arc<tokio::sync::Mutex<Option<Count>>>;

#[derive(Clone, Copy)]
struct Count {
    /// `None` when the store was away.
    backlog: Option<Backlog>,
    counted_at: Instant,
}

impl Count {
    fn is_good(&self, limits: LaneLimits, now: Instant) -> bool {
        let kept = match &self.backlog {
            None => KEPT_AWAY,
            Some(backlog) if backlog.queued < limits.max_depth / 2 => KEPT,
            Some(backlog) => KEPT_PER_ROW * u32::try_from(backlog.queued).unwrap_or(u32::MAX),
        };
        now < self.counted_at + kept
    }
}

impl Room {
    pub(crate) fn new(verifications: Arc<dyn VerificationStore>, limits: Lanes) -> Self {
        Self { verifications, limits, counts: Mutex::default() }
    }

    /// Refuses work for a lane that holds as much of the tenant's, or has kept it waiting as long, as it may.
    pub(crate) async fn ensure(&self, lane: Lane, tenant: TenantId) -> Result<(), Problem> {
        let limits = self.limits.of(lane);
        let known = self.known(lane, tenant);
        let mut known = known.lock().await;
        let count = match *known {
            Some(count) if count.is_good(limits, Instant::now()) => count.backlog,
            _ => {
                let counted = self.verifications.backlog(lane, tenant, limits.max_depth * OVERFULL).await;
                *known = Some(Count { backlog: counted.as_ref().ok().copied(), counted_at: Instant::now() });
                Some(counted?)
            }
        };
        let backlog = count.ok_or_else(|| Problem::of(ProblemCode::Unavailable))?;
        if takes_more(&backlog, limits) { Ok(()) } else { Err(Problem::of(ProblemCode::QueueFull)) }
    }

    /// One more of the tenant's is in the lane.
    pub(crate) async fn added(&self, lane: Lane, tenant: TenantId) {
        if let Some(Count { backlog: Some(backlog), .. }) = &mut *self.known(lane, tenant).lock().await {
            backlog.queued += 1;
            backlog.own += 1;
        }
    }

    fn known(&self, lane: Lane, tenant: TenantId) -> Known {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST_COUNTS {
            // One that somebody is about to count or to read is in two hands.
            counts.retain(|_, known| Arc::strong_count(known) > 1);
        }
        counts.entry((lane, tenant)).or_default().clone()
    }
}

fn takes_more(backlog: &Backlog, limits: LaneLimits) -> bool {
    let most = if backlog.queued < limits.max_depth {
        limits.max_depth
    } else if backlog.queued < limits.max_depth * OVERFULL {
        limits.max_depth.div_ceil(SHARE_OF_A_FULL_LANE)
    } else {
        0
    };
    backlog.own < most && backlog.age.is_none_or(|age| age < limits.max_age)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: LaneLimits = LaneLimits { max_depth: 30, max_age: Duration::from_mins(2) };

    fn takes(queued: u64, own: u64, waited: Option<u64>) -> bool {
        takes_more(&Backlog { queued, own, age: waited.map(Duration::from_secs) }, LIMITS)
    }

    #[test]
    fn a_lane_is_full_by_depth_or_by_age() {
        assert!(takes(0, 0, None) && takes(29, 29, Some(119)) && takes(29, 29, None));
        assert!(!takes(30, 30, Some(0)) && !takes(1, 1, Some(120)));
    }

    #[test]
    fn a_lane_that_one_tenant_has_filled_is_open_to_the_others_for_a_while() {
        assert!(takes(30, 0, None) && takes(59, 2, Some(1)));
        assert!(!takes(30, 3, None) && !takes(60, 0, None));
    }
}
