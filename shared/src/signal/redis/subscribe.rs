//! From the channel to this process's listeners, for as long as the process lives.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::link::{self, Link, LinkError, Pauses, Session};
use super::message::{self, Sender};
use crate::signal::{MemorySignal, Signal};
use crate::telemetry::events;

/// How often a quiet connection is asked whether anyone is there. With the wait for the answer, one that was cut or
/// paused without a word is noticed within five seconds.
const CHECK_EVERY: Duration = Duration::from_secs(3);

/// A session that lasted this long was no false start.
const LASTED: Duration = Duration::from_secs(10);

/// Says in `hearing` whether announcements arrive. What was missed meanwhile, the rows say.
pub(super) async fn run(
    link: Link,
    own: Sender,
    local: Arc<MemorySignal>,
    hearing: watch::Sender<bool>,
    first: Option<Session>,
) {
    let mut pauses = Pauses::new();
    let mut next = first;
    loop {
        let session = match next.take() {
            Some(session) => Ok(session),
            None => link.subscribe().await,
        };
        let error = match session {
            Ok(session) => {
                // A loss is told once, and one at the start has been.
                if !hearing.send_replace(true) {
                    events::signal_restored();
                }
                let began = Instant::now();
                let error = hear(session, own, &local).await;
                if began.elapsed() >= LASTED {
                    pauses = Pauses::new();
                }
                error
            }
            Err(error) => error,
        };
        if hearing.send_replace(false) {
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
            Some((sender, id, change)) if sender != own => local.wake(id, change),
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
