//! From the settings' URLs to the ports behind them.

use std::sync::Arc;

use crate::blob::{self, Blobs};
use crate::config::Config;
use crate::queue::{self, JobQueue};
use crate::signal::{self, Signal};
use crate::store::{self, DataLock, LockError, Stores};

/// What the settings' four URLs lead to. Nobody above knows which adapters these are.
#[derive(Clone)]
pub struct Adapters {
    pub stores: Stores,
    pub queue: Arc<dyn JobQueue>,
    pub signal: Arc<dyn Signal>,
    pub blobs: Arc<dyn Blobs>,
    /// Two processes on one data folder would both recover its jobs.
    _lock: Option<Arc<DataLock>>,
}

/// One of them can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AdaptersError {
    #[error(transparent)]
    Lock(#[from] LockError),
    #[error("failed to open the store")]
    Store(#[from] store::OpenError),
    #[error("failed to open the queue")]
    Queue(#[from] queue::OpenError),
    #[error("failed to open the signal")]
    Signal(#[from] signal::OpenError),
    #[error("failed to open the media")]
    Blobs(#[from] blob::OpenError),
}

impl Adapters {
    /// Opens all four. An embedded process takes its data folder first.
    pub async fn open(config: &Config) -> Result<Self, AdaptersError> {
        let lock = config.is_embedded().then(|| DataLock::take(config)).transpose()?;
        Ok(Self {
            stores: Stores::open(&config.store, &config.data).await?,
            queue: queue::open(&config.queue).await?,
            signal: signal::open(&config.signal).await?,
            blobs: blob::open(&config.blobs, &config.data).await?,
            _lock: lock.map(Arc::new),
        })
    }
}
