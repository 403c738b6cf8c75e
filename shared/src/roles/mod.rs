//! The duties that belong to no job: sending the outbox, sweeping, sending webhooks. Any process may have them, several at once.
//!
//! - `relay`: from the outbox to the queue.
//! - `reaper`: what was left lying is offered again, what is old is forgotten.
//! - `deliver`: webhooks, to those who want to be told.

mod deliver;
mod reaper;
mod relay;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::deliver::Deliverer;
use self::reaper::Reaper;
use self::relay::Relay;
use crate::adapters::Adapters;
use crate::config::Config;
use crate::domain::Timestamp;
use crate::telemetry::events;

/// The wait before a duty that has panicked is begun again.
const PAUSE: Duration = Duration::from_secs(1);

/// What a process does beside answering HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Takes jobs from the queue and works on them.
    Pipeline,
    /// Sends the outbox to the queue.
    Relay,
    /// Sweeps: expired leases, due media and results, orphans.
    Reaper,
    /// Sends webhooks.
    Deliver,
}

/// The duties, ready to be run or to be stepped.
#[derive(Clone)]
pub struct Duties {
    relay: Relay,
    reaper: Reaper,
    deliverer: Deliverer,
}

impl Duties {
    pub fn new(config: &Config, adapters: &Adapters) -> Self {
        Self {
            relay: Relay::new(config, adapters.stores.outbox.clone(), adapters.queue.clone()),
            reaper: Reaper::new(config, adapters),
            deliverer: Deliverer::new(config, adapters),
        }
    }

    /// Does those of the roles that are duties, until `shutdown`.
    pub async fn run(self, roles: Vec<Role>, shutdown: CancellationToken) {
        let running = TaskTracker::new();
        if roles.contains(&Role::Relay) {
            let (relay, stop) = (self.relay, shutdown.clone());
            running.spawn(kept("relay", move || relay.clone().run(stop.clone())));
        }
        if roles.contains(&Role::Reaper) {
            let (reaper, stop) = (self.reaper, shutdown.clone());
            running.spawn(kept("reaper", move || reaper.clone().run(stop.clone())));
        }
        if roles.contains(&Role::Deliver) {
            let deliverer = self.deliverer;
            running.spawn(kept("deliver", move || deliverer.clone().run(shutdown.clone())));
        }
        running.close();
        running.wait().await;
    }

    /// Sends what is in the outbox, as far as the queue takes it.
    pub async fn relay(&self) {
        self.relay.pass().await;
    }

    /// Makes one attempt at each webhook that is due; how many there were.
    pub async fn deliver(&self) -> usize {
        self.deliverer.step().await
    }

    /// Sweeps once, as if it were `now`.
    pub async fn reap(&mut self, now: Timestamp) {
        self.reaper.pass(now).await;
    }
}

/// Does the duty until it ends; one that panics is begun again, since nobody else may have it.
async fn kept<Duty: Future<Output = ()> + Send + 'static>(name: &'static str, duty: impl Fn() -> Duty) {
    while let Err(error) = tokio::spawn(duty()).await {
        if !error.is_panic() {
            return;
        }
        events::duty_panicked(name);
        sleep(PAUSE).await;
    }
}
