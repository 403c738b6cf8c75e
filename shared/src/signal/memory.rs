//! Wake-ups inside one process.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;

use super::{Listen, Listener, Signal};
use crate::domain::VerificationId;

/// A channel for each verification that someone listens to, and none for the others.
pub struct MemorySignal {
    channels: Arc<Channels>,
    /// Always: nothing is between those who announce and those who listen.
    hearing: watch::Sender<bool>,
}

#[derive(Default)]
struct Channels(Mutex<HashMap<VerificationId, watch::Sender<()>>>);

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
    fn lock(&self) -> MutexGuard<'_, HashMap<VerificationId, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Signal for MemorySignal {
    async fn announce(&self, id: VerificationId) {
        self.wake(id);
    }

    async fn listen(&self, id: VerificationId) -> Listener {
        let receiver = self.channels.lock().entry(id).or_default().subscribe();
        Listener::new(Box::new(MemoryListener {
            channels: self.channels.clone(),
            id,
            receiver: Some(receiver),
        }))
    }

    fn listened(&self) -> Vec<VerificationId> {
        self.channels.lock().keys().copied().collect()
    }

    fn wake(&self, id: VerificationId) {
        if let Some(channel) = self.channels.lock().get(&id) {
            channel.send_replace(());
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
    receiver: Option<watch::Receiver<()>>,
}

#[async_trait]
impl Listen for MemoryListener {
    async fn changed(&mut self) {
        let heard = match &mut self.receiver {
            Some(receiver) => receiver.changed().await.is_ok(),
            None => false,
        };
        if !heard {
            // Nobody can announce any more.
            std::future::pending::<()>().await;
        }
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
        signal.announce(id).await;
        assert!(signal.channels.lock().is_empty());
    }
}
