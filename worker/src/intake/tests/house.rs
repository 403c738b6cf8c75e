//! A house for the worker: real adapters on a temporary folder, and a pipeline that does as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use countersign_shared::adapters::Adapters;
use countersign_shared::config::{Config, Data};
use countersign_shared::domain::{Kind, NewVerification, Priority, Report, Timestamp, Verification};
use countersign_shared::queue::JobMessage;
use countersign_shared::store::contract::new_verification;
use countersign_shared::{queue, signal};
use tokio::time::timeout;

use crate::intake::{Handled, Worker};
use crate::pipeline::{Job, Pipeline, PipelineError};

/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

pub(super) type Found = Result<Report, PipelineError>;

type Act = Box<dyn Fn(&Job, u32) -> Found + Send + Sync>;

pub(super) struct FakePipeline {
    act: Act,
    runs: AtomicU32,
}

impl FakePipeline {
    pub(super) fn runs(&self) -> u32 {
        self.runs.load(Ordering::SeqCst)
    }
}

impl Pipeline for FakePipeline {
    fn run(&self, job: &Job) -> Found {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        for path in job.files.values() {
            assert_eq!(std::fs::read(path).expect("the media are there"), b"media");
        }
        (self.act)(job, run)
    }
}

/// Everything that survives a worker.
pub(super) struct House {
    _folder: tempfile::TempDir,
    pub(super) config: Config,
    pub(super) adapters: Adapters,
}

impl House {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A house whose settings differ from those of the other tests.
    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = Config::load(None, []).expect("the defaults load");
        config.data = Data { dir: folder.path().join("data") };
        config.worker.permits = 2;
        config.worker.lease = Duration::from_secs(1);
        config.worker.max_attempts = 3;
        config.worker.retry_delays = vec![Duration::ZERO];
        change(&mut config);
        let adapters = Adapters::open(&config).await.expect("the adapters open");
        Self { adapters, _folder: folder, config }
    }

    /// A worker whose pipeline does this; it is told the job and how many runs there were, this one included.
    pub(super) fn worker(
        &self,
        act: impl Fn(&Job, u32) -> Found + Send + Sync + 'static,
    ) -> (Worker, Arc<FakePipeline>) {
        let pipeline = Arc::new(FakePipeline { act: Box::new(act), runs: AtomicU32::new(0) });
        let worker = Worker::build(&self.config, &self.adapters, pipeline.clone());
        (worker, pipeline)
    }

    /// What is in memory is lost, as when the process is killed.
    pub(super) async fn lose_memory(&mut self) {
        self.adapters.queue = queue::open(&self.config.queue).await.expect("the queue opens");
        self.adapters.signal = signal::open(&self.config.signal).await.expect("the signal opens");
    }

    pub(super) async fn upload(&self) -> NewVerification {
        let new = new_verification(Kind::Photo, Priority::Interactive);
        for media in &new.request.media {
            let mut writer = self.adapters.blobs.write(&media.key).await.expect("a writer");
            writer.write(Bytes::from_static(b"media")).await.expect("written");
            writer.finish().await.expect("finished");
        }
        new
    }

    pub(super) async fn accept(&self) -> NewVerification {
        let new = self.upload().await;
        self.adapters.stores.verifications.accept(&new).await.expect("accepted");
        new
    }

    pub(super) async fn row(&self, new: &NewVerification) -> Verification {
        self.adapters.stores.verifications.verification(new.tenant, new.id).await.expect("the row")
    }

    pub(super) async fn publish(&self, message: &JobMessage) {
        let lane = new_verification(Kind::Photo, Priority::Interactive).request.lane();
        self.adapters.queue.publish(lane, message).await.expect("the queue has room");
    }

    pub(super) async fn media_are_there(&self, new: &NewVerification) -> bool {
        self.adapters.blobs.local(&new.request.media[0].key).await.is_ok()
    }
}

pub(super) async fn step(worker: &mut Worker) -> Handled {
    timeout(PATIENCE, worker.step()).await.expect("a step ends")
}

/// When every lease has run out.
pub(super) fn later() -> Timestamp {
    Timestamp::now().after(Duration::from_mins(1))
}

/// Blocks the pipeline's thread until its job is cancelled.
pub(super) fn until_cancelled(job: &Job) -> Found {
    while !job.cancelled.is_cancelled() {
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(PipelineError::Cancelled)
}
