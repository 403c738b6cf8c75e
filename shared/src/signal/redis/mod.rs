//! Wake-ups across processes: one Redis channel tells every process which verifications have changed. What a process
//! announces reaches its own listeners directly; Redis being away makes those of the others slower, never wrong.

mod link;
mod message;
mod publish;
mod subscribe;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::mpsc::{self, Sender};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

use self::link::Link;
use self::message::Sender as Origin;
use super::{Change, Listener, MemorySignal, OpenError, Signal};
use crate::config::ServiceUrl;
use crate::domain::VerificationId;
use crate::telemetry::events;

/// The channel of every installation; ids are unique, so that two of them on one server do no harm.
pub const CHANNEL: &str = "countersign:changed";

/// Announcements that wait for Redis. More are dropped.
const OUTBOUND: usize = 4096;

pub struct RedisSignal {
    local: Arc<MemorySignal>,
    outbound: Sender<(VerificationId, Change)>,
    hearing: watch::Receiver<bool>,
    _publisher: AbortOnDropHandle<()>,
    _subscriber: AbortOnDropHandle<()>,
}

impl RedisSignal {
    /// Connects when Redis is there, and goes on trying when it is not. Fails when the address is malformed or when
    /// Redis refuses us. Must be called on the runtime of the process, which also runs the connections.
    pub async fn open(url: &ServiceUrl, channel: &str) -> Result<Self, OpenError> {
        let link =
            Link::new(url, channel).map_err(|source| OpenError::InvalidUrl { url: url.clone(), source })?;
        let session = match link.subscribe().await {
            Ok(session) => {
                events::signal_connected();
                Some(session)
            }
            Err(error) if error.is_refusal() => {
                return Err(OpenError::Refused { url: url.clone(), source: Box::new(error) });
            }
            Err(error) => {
                events::signal_lost(&error);
                None
            }
        };
        let origin = Origin::random();
        let local = Arc::new(MemorySignal::new());
        let (outbound, waiting) = mpsc::channel(OUTBOUND);
        let (say_hearing, hearing) = watch::channel(session.is_some());
        let publisher = publish::run(link.clone(), origin, waiting);
        let subscriber = subscribe::run(link, origin, local.clone(), say_hearing, session);
        Ok(Self {
            local,
            outbound,
            hearing,
            _publisher: AbortOnDropHandle::new(tokio::spawn(publisher)),
            _subscriber: AbortOnDropHandle::new(tokio::spawn(subscriber)),
        })
    }
}

#[async_trait]
impl Signal for RedisSignal {
    /// Never waits for Redis.
    async fn announce(&self, id: VerificationId, change: Change) {
        self.local.announce(id, change).await;
        if self.outbound.try_send((id, change)).is_err() {
            events::signal_dropped();
        }
    }

    async fn listen(&self, id: VerificationId) -> Listener {
        self.local.listen(id).await
    }

    fn listened(&self) -> Vec<VerificationId> {
        self.local.listened()
    }

    fn wake(&self, id: VerificationId, change: Change) {
        self.local.wake(id, change);
    }

    fn hearing(&self) -> watch::Receiver<bool> {
        self.hearing.clone()
    }
}
