//! From the rows of deliveries to the receivers: sent, settled, and tried again for about a day.

mod attempt;
mod post;
mod resolve;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::attempt::Sender;
use self::resolve::{Lookup, SystemLookup};
use crate::adapters::Adapters;
use crate::config::{self, Config};
use crate::domain::Delivery;
use crate::store::{DeliveryShare, DeliveryStore, StoreError};
use crate::telemetry::events;

/// How often it looks without being woken: for what another process wrote, and for what is to be tried again.
const SLOW: Duration = Duration::from_secs(1);

/// Beyond the time that an attempt may take. A sender that was killed holds up its deliveries for so long.
const LEASE_MARGIN: Duration = Duration::from_secs(30);

/// How long attempts may still take when the process stops. Those that are broken off are made again.
const GRACE: Duration = Duration::from_secs(3);

/// Sends what is due, each delivery on its own: a receiver that is slow holds up nobody else.
#[derive(Clone)]
pub(super) struct Deliverer {
    deliveries: Arc<dyn DeliveryStore>,
    sender: Arc<Sender>,
    settings: config::Webhooks,
    /// The name of this process, and how often it has claimed.
    name: Arc<str>,
    claims: Arc<AtomicU64>,
}

impl Deliverer {
    pub(super) fn new(config: &Config, adapters: &Adapters) -> Self {
        Self::with(config, adapters, Arc::new(SystemLookup))
    }

    /// With names resolved by somebody else.
    fn with(config: &Config, adapters: &Adapters, lookup: Arc<dyn Lookup>) -> Self {
        Self {
            deliveries: adapters.stores.deliveries.clone(),
            sender: Arc::new(Sender::new(&adapters.stores, config.webhooks.clone(), lookup)),
            settings: config.webhooks.clone(),
            name: uuid::Uuid::now_v7().simple().to_string().into(),
            claims: Arc::new(AtomicU64::new(0)),
        }
    }

    pub(super) async fn run(self, shutdown: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.settings.at_once as usize));
        let (running, ended) = (TaskTracker::new(), Arc::new(Notify::new()));
        while let Some(claimed) = shutdown.run_until_cancelled(self.claim(places.available_permits())).await {
            let claimed = claimed.unwrap_or_else(|error| {
                events::dependency_failed("claim deliveries", &error);
                Vec::new()
            });
            let is_idle = claimed.is_empty();
            for (delivery, owner) in claimed {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
                let (sender, ended) = (Arc::clone(&self.sender), Arc::clone(&ended));
                running.spawn(async move {
                    sender.attempt(delivery, owner).await;
                    drop(place);
                    ended.notify_one();
                });
            }
            if !is_idle && places.available_permits() > 0 {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => break,
                () = self.deliveries.deliveries_added(), if places.available_permits() > 0 => {}
                // There is a place again, perhaps one at an endpoint that had none left.
                () = ended.notified() => {}
                () = sleep(SLOW) => {}
            }
        }
        running.close();
        let _ = timeout(GRACE, running.wait()).await;
    }

    /// Makes one attempt at each delivery that is due, as many as may be under way at once; how many there were.
    pub(super) async fn step(&self) -> usize {
        match self.claim(self.settings.at_once as usize).await {
            Ok(claimed) => {
                let count = claimed.len();
                join_all(claimed.into_iter().map(|(delivery, owner)| self.sender.attempt(delivery, owner)))
                    .await;
                count
            }
            Err(error) => {
                events::dependency_failed("claim deliveries", &error);
                0
            }
        }
    }

    async fn claim(&self, places: usize) -> Result<Vec<(Delivery, String)>, StoreError> {
        if places == 0 {
            return Ok(Vec::new());
        }
        let owner = format!("{}/{}", self.name, self.claims.fetch_add(1, Ordering::Relaxed));
        let share = DeliveryShare { most: places as u32, most_each: self.settings.at_once_each };
        let lease = self.settings.connect_time + self.settings.answer_time + LEASE_MARGIN;
        let claimed = self.deliveries.claim_deliveries(share, &owner, lease).await?;
        Ok(claimed.into_iter().map(|delivery| (delivery, owner.clone())).collect())
    }
}
