//! Queues for one test, which leave nothing behind.

use std::thread;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use lapin::{Connection, ConnectionProperties};

use crate::config::ServiceUrl;
use crate::domain::Lane;
use crate::queue::rabbit::RabbitQueue;
use crate::test_services::address;

/// Deletes what a test has made on the broker.
pub(super) struct Cleared {
    pub(super) url: ServiceUrl,
    pub(super) prefix: String,
}

/// A fresh queue whose lanes hold `max_length` messages, if there is a broker to test with.
pub(super) async fn queue(max_length: u32) -> Option<(Cleared, RabbitQueue)> {
    let cleared = Cleared::new()?;
    let queue = RabbitQueue::open_with(&cleared.url, &cleared.prefix, max_length).await.expect("a queue");
    Some((cleared, queue))
}

impl Cleared {
    pub(super) fn new() -> Option<Self> {
        let url = address("COUNTERSIGN_TEST_RABBITMQ")?;
        let prefix = format!("test-{}", uuid::Uuid::now_v7().simple());
        Some(Self { url: url.into(), prefix })
    }

    async fn clear(url: ServiceUrl, prefix: String) -> lapin::Result<()> {
        let connection = Connection::connect(url.as_str(), ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let mut names = vec![format!("{prefix}.jobs"), format!("{prefix}.dead")];
        names.extend(Lane::ALL.map(|lane| format!("{prefix}.jobs.{lane}")));
        names.extend([1, 200, 300, 5000].map(|delay| format!("{prefix}.retry.{delay}ms")));
        for name in names {
            channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await?;
            channel.exchange_delete(name.into(), ExchangeDeleteOptions::default()).await?;
        }
        connection.close(200, "done".into()).await
    }
}

impl Drop for Cleared {
    /// On a thread of its own: the test's runtime is busy dropping this.
    fn drop(&mut self) {
        let (url, prefix) = (self.url.clone(), self.prefix.clone());
        let clearing = thread::spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(Self::clear(url, prefix)).expect("the broker forgets the test");
        });
        let cleared = clearing.join();
        assert!(cleared.is_ok() || thread::panicking(), "the broker keeps what the test has made");
    }
}
