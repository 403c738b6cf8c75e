//! The port that wakes those who wait for a result. A signal may be lost: the row is the truth, and somebody looks at the
//! rows of all who wait from time to time.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod memory;
mod redis;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::config::{self, ServiceUrl};
use crate::domain::VerificationId;

pub use self::memory::MemorySignal;
pub use self::redis::{CHANNEL, RedisSignal};

/// The signal can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("signal.url must be memory:// or start with redis:// or rediss://")]
    UnknownUrl,
    #[error("signal.url is no address of a Redis server: {url}")]
    InvalidUrl { url: ServiceUrl, source: ::redis::RedisError },
    /// A wrong password, or a user who may not use the channel.
    #[error("the redis server {url} refused us; look at the user and the password in signal.url")]
    Refused { url: ServiceUrl, source: Box<dyn std::error::Error + Send + Sync> },
}

/// The signal of the settings. A Redis server that is away is no error: the signal comes back with it.
pub async fn open(settings: &config::Signal) -> Result<Arc<dyn Signal>, OpenError> {
    match settings.url.as_str() {
        "memory://" => Ok(Arc::new(MemorySignal::new())),
        url if url.starts_with("redis://") || url.starts_with("rediss://") => {
            Ok(Arc::new(RedisSignal::open(&settings.url, CHANNEL).await?))
        }
        _ => Err(OpenError::UnknownUrl),
    }
}

/// What has become of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It goes on: claimed, or given back to be tried again.
    Progress,
    /// It is final, or erased.
    End,
}

#[async_trait]
pub trait Signal: Send + Sync {
    /// Tells everyone who listens that the verification has changed. Never fails: a lost signal is only slower.
    async fn announce(&self, id: VerificationId, change: Change);
    /// Registers at once; register BEFORE reading the row.
    async fn listen(&self, id: VerificationId) -> Listener;
    /// Those that somebody in this process listens to.
    fn listened(&self) -> Vec<VerificationId>;
    /// Wakes those who listen in this process and tells nobody else: for whoever has seen the row change.
    fn wake(&self, id: VerificationId, change: Change);
    /// Whether announcements of other processes arrive. While they don't, and whenever they do so again, the rows say what
    /// was missed.
    fn hearing(&self) -> watch::Receiver<bool>;
}

/// A registration. Dropping it unregisters.
pub struct Listener(Box<dyn Listen>);

impl Listener {
    pub fn new(listen: Box<dyn Listen>) -> Self {
        Self(listen)
    }

    /// Returns after an announcement made since the registration or since the last return. Cancel-safe: an
    /// announcement that comes while nobody waits is kept.
    pub async fn changed(&mut self) {
        self.0.changed().await;
    }

    /// As [`changed`](Self::changed), but only an announced end counts.
    pub async fn ended(&mut self) {
        while self.0.changed().await != Change::End {}
    }
}

/// An adapter's half of a [`Listener`]. Dropping it unregisters.
#[async_trait]
pub trait Listen: Send {
    /// The latest change, if several came.
    async fn changed(&mut self) -> Change;
}
