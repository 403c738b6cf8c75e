//! Wake-ups inside one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Change, Listen, Listener, Signal};
use crate::domain::VerificationId;

/// A channel for each verification that someone listens to, and none for the others.
pub struct MemorySignal {
    channels: Arc<Channels>,
    /// Always: nothing is between those who announce and those who listen.
    hearing: watch::Sender<bool>,
}

#[derive(Default)]
struct Channels(Mutex<HashMap<VerificationId, watch::Sender<Change>>>);

impl MemorySignal {
    pub fn new() -> Self {
        Self { channels: Arc::default(), hearing: watch::Sender::new(true) }
    }
}

impl Default for MemorySignal {
    fn default() -> Self {
        Self::new()
    }
}

impl Channels {
    fn lock(&self) -> MutexGuard<'_, HashMap<VerificationId, watch::Sender<Change>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Signal for MemorySignal {
    async fn announce(&self, id: VerificationId, change: Change) {
        self.wake(id, change);
    }

    async fn listen(&self, id: VerificationId) -> Listener {
        let receiver = self
            .channels
            .lock()
            .entry(id)
            .or_insert_with(|| watch::Sender::new(Change::Progress))
            .subscribe();
        Listener::new(Box::new(MemoryListener {
            channels: self.channels.clone(),
            id,
            receiver: Some(receiver),
        }))
    }

    fn listened(&self) -> Vec<VerificationId> {
        self.channels.lock().keys().copied().collect()
    }

    fn wake(&self, id: VerificationId, change: Change) {
        if let Some(channel) = self.channels.lock().get(&id) {
            // An end is not taken back by what was seen before it and is told after it.
            channel.send_modify(|latest| {
                if change == Change::End {
                    *latest = change;
                }
            });
        }
    }

    fn hearing(&self) -> watch::Receiver<bool> {
        self.hearing.subscribe()
    }
}

struct MemoryListener {
    channels: Arc<Channels>,
    id: VerificationId,
    /// Taken when it is dropped.
    receiver: Option<watch::Receiver<Change>>,
}

#[async_trait]
impl Listen for MemoryListener {
    async fn changed(&mut self) -> Change {
        if let Some(receiver) = &mut self.receiver
            && receiver.changed().await.is_ok()
        {
            return *receiver.borrow_and_update();
        }
        // Nobody can announce any more.
        std::future::pending().await
    }
}

impl Drop for MemoryListener {
    fn drop(&mut self) {
        let mut channels = self.channels.lock();
        self.receiver = None;
        if channels.get(&self.id).is_some_and(|channel| channel.receiver_count() == 0) {
            channels.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::signal::contract::suite!(MemorySignal::new());

    #[tokio::test]
    async fn nothing_is_kept_when_the_last_listener_is_gone() {
        let (signal, id) = (MemorySignal::new(), VerificationId::new());
        let (first, second) = (signal.listen(id).await, signal.listen(id).await);
        drop(first);
        assert_eq!(signal.channels.lock().len(), 1);
        drop(second);
        signal.announce(id, Change::End).await;
        assert!(signal.channels.lock().is_empty());
    }
}
