//! Rows that came into the outbox, told to whoever waits for them in this process.

use tokio::sync::Notify;

use crate::domain::Lane;

#[derive(Default)]
pub(super) struct Added([Notify; Lane::ALL.len()]);

impl Added {
    pub(super) fn to(&self, lane: Lane) {
        self.0[lane as usize].notify_one();
    }

    /// Perhaps to each of them.
    pub(super) fn to_any(&self) {
        for lane in Lane::ALL {
            self.to(lane);
        }
    }

    /// Returns when there were some since it last returned; never misses one, may return early.
    pub(super) async fn wait(&self, lane: Lane) {
        self.0[lane as usize].notified().await;
    }
}
