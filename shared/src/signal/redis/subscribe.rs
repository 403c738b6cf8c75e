//! From the channel to this process's listeners, for as long as the process lives.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::time::{Instant, sleep};

use super::link::{self, Link, LinkError, Pauses, Session};
use super::message::{self, Sender};
use crate::signal::MemorySignal;
use crate::telemetry::events;

/// How often a quiet connection is asked whether anyone is there. With the wait for the answer, one that was cut or
/// paused without a word is noticed within five seconds.
const CHECK_EVERY: Duration = Duration::from_secs(3);

/// A session that lasted this long was no false start.
const LASTED: Duration = Duration::from_secs(10);

/// After a loss all listeners read their rows, this many at a time, so that the database is not asked by all at once.
const WAKE_AT_ONCE: usize = 100;
const WAKE_PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn run(link: Link, own: Sender, local: Arc<MemorySignal>, first: Option<Session>) {
    // A loss is told once, and one at the start has been.
    let mut connected = first.is_some();
    let mut pauses = Pauses::new();
    let mut next = first;
    loop {
        let session = match next.take() {
            Some(session) => Ok(session),
            None => link.subscribe().await,
        };
        let error = match session {
            Ok(session) => {
                let missed = !connected;
                if missed {
                    connected = true;
                    events::signal_restored();
                }
                let began = Instant::now();
                let error = tokio::select! {
                    error = hear(session, own, &local) => error,
                    never = wake_all(&local), if missed => never,
                };
                if began.elapsed() >= LASTED {
                    pauses = Pauses::new();
                }
                error
            }
            Err(error) => error,
        };
        if connected {
            connected = false;
            events::signal_lost(&error);
        }
        sleep(pauses.next()).await;
    }
}

/// Passes on what comes, until the session ends.
async fn hear(session: Session, own: Sender, local: &MemorySignal) -> LinkError {
    let Session { sink, messages } = session;
    tokio::select! {
        error = dispatch(messages, own, local) => error,
        error = keep_checking(sink) => error,
    }
}

async fn dispatch(mut messages: PubSubStream, own: Sender, local: &MemorySignal) -> LinkError {
    while let Some(message) = messages.next().await {
        match message::read(message.get_payload_bytes()) {
            Some((sender, id)) if sender != own => local.wake(id),
            _ => {}
        }
    }
    LinkError::Closed
}

async fn keep_checking(mut sink: PubSubSink) -> LinkError {
    loop {
        sleep(CHECK_EVERY).await;
        if let Err(error) = link::check(&mut sink).await {
            return error;
        }
    }
}

/// Signals may have been lost while nobody heard the channel; the rows say which.
async fn wake_all(local: &MemorySignal) -> LinkError {
    for ids in local.listened().chunks(WAKE_AT_ONCE) {
        for id in ids {
            local.wake(*id);
        }
        sleep(WAKE_PAUSE).await;
    }
    std::future::pending().await
}
