//! A connection to the broker that is opened again whenever it is lost.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{Stream, StreamExt};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use rand::Rng;
use tokio::sync::watch;
use tokio::time::{interval, sleep, timeout};
use tokio_util::task::AbortOnDropHandle;

use super::failure::{Failure, within};
use crate::telemetry::events;

/// Seconds. Two of them without a sign from the broker, and the connection is given up.
const HEARTBEAT: u16 = 10;
/// For the connection alone, then for everything up to the first use. An attempt that is given up leaves its socket to a
/// thread that ends with it, so attempts must not be made too often.
const CONNECT_TIME: Duration = Duration::from_secs(5);
const ATTEMPT_TIME: Duration = Duration::from_secs(30);
/// The wait before another attempt: the first one, and the longest; each varies by half.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a connection is looked at that says nothing.
const LOOK: Duration = Duration::from_secs(1);

pub(super) struct Link {
    connection: watch::Receiver<Option<Arc<Connection>>>,
    _keeping: AbortOnDropHandle<()>,
}

/// Where to connect to, and as what.
#[derive(Clone)]
struct Address {
    uri: AMQPUri,
    /// What it is for, such as `publish`.
    purpose: &'static str,
}

impl Link {
    /// Connects, once; what is lost later is opened again until this is dropped.
    pub(super) async fn open(uri: &AMQPUri, purpose: &'static str) -> Result<Self, Failure> {
        let mut uri = uri.clone();
        uri.query.heartbeat.get_or_insert(HEARTBEAT);
        uri.query.connection_timeout.get_or_insert(CONNECT_TIME.as_millis() as u64);
        let address = Address { uri, purpose };
        let first = address.connect().await?;
        let (sender, connection) = watch::channel(None);
        let keeping = tokio::spawn(address.keep(first, sender));
        Ok(Self { connection, _keeping: AbortOnDropHandle::new(keeping) })
    }

    /// A fresh channel, as soon as there is a connection.
    pub(super) async fn channel(&self) -> Result<Channel, Failure> {
        within(async {
            let mut connection = self.connection.clone();
            // It is told a little later that the one it has is lost.
            let is_up = |up: &Option<Arc<Connection>>| up.as_ref().is_some_and(|up| up.status().connected());
            let connection = match connection.wait_for(is_up).await {
                Ok(up) => up.clone().expect("it was waited for, this is a bug"),
                Err(_) => return Err(Failure::Late),
            };
            Ok::<_, Failure>(connection.create_channel().await?)
        })
        .await
    }

    /// Whether the broker has stopped taking messages from this connection.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.borrow().as_ref().is_some_and(|connection| connection.status().blocked())
    }
}

impl Address {
    async fn connect(&self) -> Result<Connection, Failure> {
        let name = format!(
            "countersign {} {}, process {}",
            env!("CARGO_PKG_VERSION"),
            self.purpose,
            std::process::id()
        );
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        let connecting = Box::pin(Connection::connect_uri(self.uri.clone(), properties));
        match timeout(ATTEMPT_TIME, connecting).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(Failure::Late),
        }
    }

    async fn keep(self, first: Connection, sender: watch::Sender<Option<Arc<Connection>>>) {
        let mut connection = Arc::new(first);
        loop {
            sender.send_replace(Some(connection.clone()));
            let cause = lost(&connection).await;
            sender.send_replace(None);
            events::connection_lost(self.purpose, cause.as_ref().map(|error| error as _));
            let lost_at = Instant::now();
            connection = Arc::new(self.reconnect().await);
            events::connection_restored(self.purpose, lost_at.elapsed());
        }
    }

    async fn reconnect(&self) -> Connection {
        let mut pause = SHORTEST_PAUSE;
        let mut said = false;
        loop {
            // Many processes lose the same broker at the same moment.
            let varied = pause.mul_f64(rand::rng().random_range(0.5..1.5));
            sleep(varied).await;
            match self.connect().await {
                Ok(connection) => return connection,
                Err(error) if !said => events::connection_failed(self.purpose, &error),
                Err(_) => {}
            }
            said = true;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

/// Waits until the connection is lost, and says why if that is known.
async fn lost(connection: &Connection) -> Option<lapin::Error> {
    let mut said = pin!(connection.events_listener());
    let mut looks = interval(LOOK);
    let mut cause = None;
    while connection.status().connected() {
        tokio::select! {
            error = next_error(said.as_mut()) => cause = error.or(cause),
            _ = looks.tick() => {}
        }
    }
    cause
}

async fn next_error(mut said: impl Stream<Item = Event> + Unpin) -> Option<lapin::Error> {
    loop {
        match said.next().await? {
            Event::Error(error) => return Some(error),
            Event::ConnectionBlocked(reason) => events::broker_blocked(&reason),
            Event::ConnectionUnblocked => events::broker_unblocked(),
            _ => {}
        }
    }
}
