//! What was left lying is offered again, what is old is forgotten.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::adapters::Adapters;
use crate::blob::{BlobError, Blobs};
use crate::config::{self, Config};
use crate::domain::{Lane, Timestamp, VerificationId};
use crate::queue::JobQueue;
use crate::signal::{Change, Signal};
use crate::store::{DeliveryStore, ErasureStore, Outbox, StoreError, Upkeep, UsageStore};
use crate::telemetry::{events, metrics};

const BATCH: u32 = 200;

/// Small rows; one transaction for so many.
const USAGE_BATCH: u32 = 2000;

/// A page of a folder costs as much as the whole folder.
const ORPHAN_PAGE: usize = 10_000;

const DELETIONS_AT_ONCE: usize = 16;

/// How long it can still be read that a challenge was used, or expired.
const CHALLENGES_KEPT: Duration = Duration::from_hours(24);

/// A listing of every upload is dear, and an orphan is in no hurry: it is swept this often within its time.
const ORPHAN_SWEEPS: u32 = 4;

#[derive(Clone)]
pub(super) struct Reaper {
    upkeep: Arc<dyn Upkeep>,
    erasures: Arc<dyn ErasureStore>,
    usage: Arc<dyn UsageStore>,
    outbox: Arc<dyn Outbox>,
    queue: Arc<dyn JobQueue>,
    blobs: Arc<dyn Blobs>,
    signal: Arc<dyn Signal>,
    settings: config::Worker,
    retention: config::Retention,
    deliveries: Arc<dyn DeliveryStore>,
    keep_deliveries: Duration,
}

/// Why a sweep stopped or left something behind; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Blobs(#[from] BlobError),
}

impl Reaper {
    pub(super) fn new(config: &Config, adapters: &Adapters) -> Self {
        Self {
            upkeep: adapters.stores.upkeep.clone(),
            erasures: adapters.stores.erasures.clone(),
            usage: adapters.stores.usage.clone(),
            outbox: adapters.stores.outbox.clone(),
            queue: adapters.queue.clone(),
            blobs: adapters.blobs.clone(),
            signal: adapters.signal.clone(),
            settings: config.worker.clone(),
            retention: config.retention.clone(),
            deliveries: adapters.stores.deliveries.clone(),
            keep_deliveries: config.webhooks.keep,
        }
    }

    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            // Every sweep can be broken off anywhere and taken up again.
            let round = async {
                match self.upkeep.now().await {
                    Ok(now) => self.pass(now).await,
                    Err(error) => events::dependency_failed("read the store's clock", &error),
                }
                sleep(self.settings.reap_every).await;
            };
            if shutdown.run_until_cancelled(round).await.is_none() {
                return;
            }
        }
    }

    /// Every sweep once, as if it were `now`; one that fails keeps no other from its work.
    pub(super) async fn pass(&mut self, now: Timestamp) {
        report("offer again", self.reoffer(now).await);
        report("delete media", self.delete_media(now).await);
        report("erase media", self.erase_media().await);
        report("count usage", self.count_usage().await);
        report("delete results", self.delete_results(now).await);
        report("delete deliveries", self.delete_deliveries().await);
        report("delete answers", self.delete_answers(now).await);
        report("delete challenges", self.delete_challenges(now).await);
        report("sweep orphans", self.sweep_orphans(now).await);
        report("measure", self.measure().await);
    }

    async fn reoffer(&self, now: Timestamp) -> Result<(), SweepError> {
        let offered_before = now.before(self.settings.offer_again_after);
        loop {
            let swept = self.upkeep.reoffer(now, offered_before, self.settings.max_attempts, BATCH).await?;
            events::reoffered(&swept);
            for id in &swept.exhausted {
                self.signal.announce(*id, Change::End).await;
            }
            if swept.offered + (swept.exhausted.len() as u64) < u64::from(BATCH) {
                return Ok(());
            }
        }
    }

    async fn delete_media(&self, now: Timestamp) -> Result<(), SweepError> {
        if !self.upkeep.take_turn("delete media", now, self.settings.reap_every / 2).await? {
            return Ok(());
        }
        loop {
            let due = self.upkeep.media_due(now.before(self.retention.media), BATCH).await?;
            let (deleted, failed) = self.delete_blobs(&due).await;
            self.upkeep.media_deleted(&deleted).await?;
            events::media_deleted(&deleted);
            if let Some(error) = failed {
                return Err(error.into());
            }
            if due.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    /// The media of erased verifications that could not be reached when they were erased.
    async fn erase_media(&self) -> Result<(), SweepError> {
        loop {
            let waiting = self.erasures.media_to_erase(BATCH).await?;
            let (erased, failed) = self.delete_blobs(&waiting).await;
            for id in &erased {
                match self.erasures.media_erased(*id).await {
                    // Another has noted it.
                    Ok(()) | Err(StoreError::NotFound) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            events::media_erased(&erased);
            if let Some(error) = failed {
                return Err(error.into());
            }
            if waiting.len() < BATCH as usize {
                return Ok(());
            }
        }
    }

    async fn count_usage(&self) -> Result<(), SweepError> {
        while self.usage.fold_usage(USAGE_BATCH).await? == u64::from(USAGE_BATCH) {}
        Ok(())
    }

    async fn delete_results(&self, now: Timestamp) -> Result<(), SweepError> {
        loop {
            let deleted = self.upkeep.delete_finished(now.before(self.retention.reports), BATCH).await?;
            events::reports_deleted(deleted);
            if deleted < u64::from(BATCH) {
                return Ok(());
            }
        }
    }

    async fn delete_deliveries(&self) -> Result<(), SweepError> {
        while self.deliveries.delete_deliveries(self.keep_deliveries, BATCH).await? == u64::from(BATCH) {}
        Ok(())
    }

    async fn delete_answers(&self, now: Timestamp) -> Result<(), SweepError> {
        while self.upkeep.delete_answers(now, BATCH).await? == u64::from(BATCH) {}
        Ok(())
    }

    async fn delete_challenges(&self, now: Timestamp) -> Result<(), SweepError> {
        let expired_before = now.before(CHALLENGES_KEPT);
        while self.upkeep.delete_challenges(expired_before, BATCH).await? == u64::from(BATCH) {}
        Ok(())
    }

    /// Uploads that were begun long ago and belong to no row: their process was killed before it accepted them.
    async fn sweep_orphans(&self, now: Timestamp) -> Result<(), SweepError> {
        if !self.upkeep.take_turn("sweep orphans", now, self.retention.orphans / ORPHAN_SWEEPS).await? {
            return Ok(());
        }
        let mut after: Option<VerificationId> = None;
        let mut failed = None;
        loop {
            let page = self.blobs.older_than(self.retention.orphans, after, ORPHAN_PAGE).await?;
            for ids in page.chunks(BATCH as usize) {
                let (swept, error) = self.delete_blobs(&self.upkeep.unknown(ids).await?).await;
                events::orphans_swept(&swept);
                failed = failed.or(error);
            }
            after = page.last().copied();
            if page.len() < ORPHAN_PAGE {
                return failed.map_or(Ok(()), |error| Err(error.into()));
            }
        }
    }

    /// Those whose files are gone, and why others are not. Several at a time: a bucket is far away.
    async fn delete_blobs(&self, ids: &[VerificationId]) -> (Vec<VerificationId>, Option<BlobError>) {
        let deletions = stream::iter(ids.to_vec()).map(|id| {
            let blobs = self.blobs.clone();
            async move { blobs.delete_all(id).await.map(|()| id) }
        });
        let (mut deleted, mut failed) = (Vec::with_capacity(ids.len()), None);
        let mut done = deletions.buffer_unordered(DELETIONS_AT_ONCE);
        while let Some(result) = done.next().await {
            match result {
                Ok(id) => deleted.push(id),
                Err(error) => failed = Some(error),
            }
        }
        (deleted, failed)
    }

    async fn measure(&self) -> Result<(), SweepError> {
        metrics::outbox_rows(self.outbox.depth().await?);
        metrics::webhook_lag(self.deliveries.delivery_lag().await?.unwrap_or_default());
        for (state, count) in self.upkeep.counts().await? {
            metrics::jobs_unfinished(state, count);
        }
        for lane in Lane::ALL {
            if let Ok(depth) = self.queue.depth(lane).await {
                metrics::queue_depth(lane, depth);
            }
        }
        if let Ok(count) = self.queue.dead().await {
            metrics::queue_dead(count);
        }
        Ok(())
    }
}

fn report(sweep: &'static str, result: Result<(), SweepError>) {
    if let Err(error) = result {
        events::dependency_failed(sweep, &error);
    }
}
