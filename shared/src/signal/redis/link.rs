//! Connections to Redis, each step with a limit in time.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSubSink, PubSubStream};
use redis::{AsyncConnectionConfig, Client, ErrorKind, RedisError, ServerErrorKind};
use tokio::time::timeout;

use crate::config::ServiceUrl;

/// To connect, log in and subscribe.
const CONNECT: Duration = Duration::from_secs(3);

/// For an answer; a server that is paused never gives one.
const ANSWER: Duration = Duration::from_secs(2);

/// The waits between attempts to connect, doubled from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// Where Redis is, and the channel on it.
#[derive(Clone)]
pub(super) struct Link {
    client: Client,
    pub(super) channel: String,
}

/// A connection that hears the channel. Nothing is lost from here on while it lasts.
pub(super) struct Session {
    pub(super) sink: PubSubSink,
    pub(super) messages: PubSubStream,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum LinkError {
    #[error("redis did not answer in time")]
    Silent,
    #[error("redis closed the connection")]
    Closed,
    #[error(transparent)]
    Failed(#[from] RedisError),
}

impl Link {
    pub(super) fn new(url: &ServiceUrl, channel: &str) -> Result<Self, RedisError> {
        Ok(Self { client: Client::open(url.as_str())?, channel: channel.to_owned() })
    }

    pub(super) async fn subscribe(&self) -> Result<Session, LinkError> {
        let subscribing = async {
            let (mut sink, messages) = self.client.get_async_pubsub().await?.split();
            sink.subscribe(&self.channel).await?;
            Ok(Session { sink, messages })
        };
        timeout(CONNECT, subscribing).await.map_err(|_| LinkError::Silent)?
    }

    pub(super) async fn connect(&self) -> Result<MultiplexedConnection, LinkError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        Ok(timeout(CONNECT, connecting).await.map_err(|_| LinkError::Silent)??)
    }
}

/// Returns when the server still answers.
pub(super) async fn check(sink: &mut PubSubSink) -> Result<(), LinkError> {
    let asking = sink.ping::<redis::Value>();
    timeout(ANSWER, asking).await.map_err(|_| LinkError::Silent)??;
    Ok(())
}

impl LinkError {
    /// Whether Redis is there and wants nothing of us: a wrong password, or a user who may not use the channel.
    pub(super) fn is_refusal(&self) -> bool {
        let Self::Failed(error) = self else { return false };
        error.kind() == ErrorKind::AuthenticationFailed
            || error.kind() == ErrorKind::Server(ServerErrorKind::NoPerm)
            || error.code().is_some_and(|code| ["NOAUTH", "WRONGPASS"].contains(&code))
    }
}

/// The pauses between attempts, each a little different, so that processes that lost Redis together come back apart.
pub(super) struct Pauses(Duration);

impl Pauses {
    pub(super) const fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0;
        self.0 = (pause * 2).min(LAST_PAUSE);
        pause.mul_f64(rand::random_range(0.5..1.0))
    }
}
