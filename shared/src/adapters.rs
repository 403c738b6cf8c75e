//! From the settings' URLs to the ports behind them.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use crate::blob::{self, Blobs};
use crate::config::{Config, ServiceUrl};
use crate::queue::{self, JobQueue};
use crate::rate::{self, RateLimiter};
use crate::signal::{self, Signal};
use crate::store::{self, DataLock, LockError, Stores};
use crate::telemetry::events;

/// The waits for a server that is not there yet, doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LAST_PAUSE: Duration = Duration::from_secs(10);

/// What the settings' four URLs lead to. Nobody above knows which adapters these are.
#[derive(Clone)]
pub struct Adapters {
    pub stores: Stores,
    pub queue: Arc<dyn JobQueue>,
    pub signal: Arc<dyn Signal>,
    pub rates: Arc<dyn RateLimiter>,
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
    #[error("failed to open the rate limits")]
    Rates(#[from] rate::OpenError),
    #[error("failed to open the media")]
    Blobs(#[from] blob::OpenError),
}

/// What to do about a server that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// It is an error.
    None,
    /// Where everything starts at once, it comes later.
    Endless,
}

impl Adapters {
    /// Opens all four, in one try each. An embedded process takes its data folder first.
    pub async fn open(config: &Config) -> Result<Self, AdaptersError> {
        Self::open_with(config, Patience::None).await
    }

    /// As [`open`](Self::open), and waits for servers that are not there yet, with a warning at each try. What no waiting
    /// mends, such as a wrong password, is an error at once.
    pub async fn open_patiently(config: &Config) -> Result<Self, AdaptersError> {
        Self::open_with(config, Patience::Endless).await
    }

    async fn open_with(config: &Config, patience: Patience) -> Result<Self, AdaptersError> {
        let lock = config.is_embedded().then(|| DataLock::take(config)).transpose()?;
        let Config { store, queue, signal, blobs, data, .. } = config;
        let open_store = async || Stores::open(store, data).await;
        let open_queue = async || queue::open(queue).await;
        let open_blobs = async || blob::open(blobs, data).await;
        Ok(Self {
            stores: patience.apply("store", &store.url, store::OpenError::is_passing, open_store).await?,
            queue: patience.apply("queue", &queue.url, queue::OpenError::is_passing, open_queue).await?,
            // Nobody needs it to be there.
            signal: signal::open(signal).await?,
            rates: rate::open(signal)?,
            blobs: patience.apply("blobs", &blobs.url, blob::OpenError::is_passing, open_blobs).await?,
            _lock: lock.map(Arc::new),
        })
    }
}

impl Patience {
    async fn apply<Port, Failure: Error + 'static>(
        self,
        section: &'static str,
        url: &ServiceUrl,
        is_passing: impl Fn(&Failure) -> bool,
        open: impl AsyncFn() -> Result<Port, Failure>,
    ) -> Result<Port, Failure> {
        let mut pause = FIRST_PAUSE;
        loop {
            // What opens a port is large, and is dropped soon.
            match Box::pin(open()).await {
                Err(error) if self == Self::Endless && is_passing(&error) => {
                    events::dependency_awaited(section, url, pause, &error);
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LAST_PAUSE);
                }
                done => return done,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::test_services::PrivateServer;

    /// An embedded process with its media in a bucket.
    fn config(folder: &tempfile::TempDir, server: &PrivateServer, key: &str) -> Config {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let variables = [
            ("DATA__DIR", folder.path().display().to_string()),
            ("BLOBS__URL", "s3://countersign".to_owned()),
            ("BLOBS__ENDPOINT", server.address()),
            ("BLOBS__ACCESS_KEY", "countersign".to_owned()),
            ("BLOBS__SECRET_KEY", key.to_owned()),
        ];
        Config::load(None, variables.map(|(name, value)| (format!("COUNTERSIGN_{name}"), value)))
            .expect("the settings are right")
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_yet_is_waited_for() {
        let Some(server) = PrivateServer::start("s3") else { return };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = config(&folder, &server, "countersign");
        server.kill();
        let mut opening = Box::pin(Adapters::open_patiently(&config));
        // Longer than one try takes.
        assert!(timeout(Duration::from_secs(15), &mut opening).await.is_err(), "nobody is there");
        server.start_again();
        let opened = timeout(Duration::from_secs(20), opening).await.expect("the server is there");
        assert!(opened.is_ok(), "{:?}", opened.err());
    }

    #[tokio::test]
    async fn what_no_waiting_mends_is_an_error_at_once() {
        let Some(server) = PrivateServer::start("s3") else { return };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = config(&folder, &server, "wrong");
        let opened = timeout(Duration::from_secs(10), Adapters::open_patiently(&config)).await;
        let error = opened.expect("it does not wait").err().expect("the key is wrong");
        assert!(matches!(error, AdaptersError::Blobs(blob::OpenError::Refused { .. })), "{error:?}");
    }

    #[tokio::test]
    async fn without_patience_one_try_is_enough() {
        let Some(server) = PrivateServer::start("s3") else { return };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = config(&folder, &server, "countersign");
        server.kill();
        let error = Adapters::open(&config).await.err().expect("nobody is there");
        assert!(matches!(error, AdaptersError::Blobs(blob::OpenError::Unavailable { .. })), "{error:?}");
    }
}
