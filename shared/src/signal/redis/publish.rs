//! From this process to the channel, in the background.

use redis::aio::MultiplexedConnection;
use tokio::sync::mpsc::Receiver;
use tokio::time::sleep;

use super::link::{Link, LinkError, Pauses};
use super::message::{self, Sender};
use crate::domain::VerificationId;
use crate::signal::Change;
use crate::telemetry::events;

/// Announcements that go out together.
const BATCH: usize = 256;

/// Ends when nobody can announce any more. What could not be sent is sent again, while later announcements wait.
pub(super) async fn run(link: Link, own: Sender, mut waiting: Receiver<(VerificationId, Change)>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut connection = None;
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let mut pauses = Pauses::new();
        let mut complained = false;
        while let Err(error) = send(&link, &mut connection, own, &batch).await {
            connection = None;
            // That Redis is away, the subscriber says.
            if error.is_refusal() && !complained {
                complained = true;
                events::dependency_failed("publish a signal", &error);
            }
            sleep(pauses.next()).await;
        }
        batch.clear();
    }
}

async fn send(
    link: &Link,
    connection: &mut Option<MultiplexedConnection>,
    own: Sender,
    changes: &[(VerificationId, Change)],
) -> Result<(), LinkError> {
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(link.connect().await?),
    };
    let mut pipeline = redis::pipe();
    for (id, change) in changes {
        pipeline.cmd("PUBLISH").arg(&link.channel).arg(message::write(own, *id, *change)).ignore();
    }
    Ok(pipeline.query_async::<()>(connection).await?)
}
