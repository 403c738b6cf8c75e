//! Messages out: confirmed by the broker, many on their way at the same time. Each lane has a channel of its own, so that
//! one whose queue is broken holds up no other.

use std::collections::HashSet;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::message::BasicReturnMessage;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Channel, Confirmation};

use super::failure::{Failure, set_up, within};
use super::link::Link;
use super::topology::Topology;
use crate::domain::Lane;

/// Kept on disk by a classic queue too.
const PERSISTENT: u8 = 2;

pub(super) struct Publisher {
    link: Arc<Link>,
    topology: Arc<Topology>,
    lane: Lane,
    channel: tokio::sync::Mutex<Option<Open>>,
    /// Held while a message is numbered and put in line, which the client does in two steps: the confirms of two
    /// messages would be mixed up.
    in_order: Mutex<()>,
}

/// A channel, and the delays whose queues were declared since it was opened.
struct Open {
    channel: Arc<Channel>,
    delays: HashSet<Duration>,
}

/// A message as the broker sees it.
struct Letter {
    exchange: String,
    routing_key: String,
    body: Vec<u8>,
    properties: BasicProperties,
}

impl Publisher {
    pub(super) fn new(link: Arc<Link>, topology: Arc<Topology>, lane: Lane) -> Self {
        Self { link, topology, lane, channel: tokio::sync::Mutex::default(), in_order: Mutex::default() }
    }

    /// Returns when the lane's queue has the message. `id` is for people who look into the broker.
    pub(super) async fn send(&self, body: Vec<u8>, id: &str) -> Result<(), Failure> {
        self.post(Letter::new(self.topology.jobs(), self.lane, body, id)).await
    }

    /// Returns when the message is on its way to the lane, where it arrives after the delay.
    pub(super) async fn send_after(&self, delay: Duration, body: Vec<u8>, id: &str) -> Result<(), Failure> {
        set_up(self.declare_retry(delay)).await?;
        self.post(Letter::new(self.topology.retry(delay), self.lane, body, id)).await
    }

    async fn post(&self, mut letter: Letter) -> Result<(), Failure> {
        let mut declared_again = false;
        loop {
            if self.link.is_blocked() {
                return Err(Failure::Blocked);
            }
            let channel = set_up(self.channel()).await?;
            let returned = match within(self.confirmed(&channel, &letter)).await {
                Ok(Confirmation::Ack(None) | Confirmation::NotRequested) => return Ok(()),
                Ok(Confirmation::Nack(_)) => return Err(Failure::Full),
                Ok(Confirmation::Ack(Some(returned))) => returned,
                Err(failure) => {
                    self.give_up(&channel).await;
                    return Err(failure);
                }
            };
            // The client hands what comes back to whoever is confirmed next, so it may be somebody else's. Whoever has
            // it sends it again.
            letter = Letter::from(returned);
            if declared_again {
                let Letter { exchange, routing_key, .. } = letter;
                return Err(Failure::Unroutable { exchange, routing_key });
            }
            self.give_up(&channel).await;
            declared_again = true;
        }
    }

    async fn confirmed(&self, channel: &Channel, letter: &Letter) -> Result<Confirmation, lapin::Error> {
        let mut publishing = pin!(channel.basic_publish(
            letter.exchange.as_str().into(),
            letter.routing_key.as_str().into(),
            BasicPublishOptions { mandatory: true, ..Default::default() },
            &letter.body,
            letter.properties.clone(),
        ));
        let published = poll_fn(|context| {
            let _in_order = self.in_order.lock().unwrap_or_else(PoisonError::into_inner);
            publishing.as_mut().poll(context)
        });
        published.await?.await
    }

    /// The lane's channel; a fresh one, with the topology declared again, when it is gone.
    async fn channel(&self) -> Result<Arc<Channel>, Failure> {
        let mut open = self.channel.lock().await;
        Ok(self.opened(&mut open).await?.channel.clone())
    }

    async fn declare_retry(&self, delay: Duration) -> Result<(), Failure> {
        let mut open = self.channel.lock().await;
        let open = self.opened(&mut open).await?;
        if open.delays.insert(delay) {
            // On a channel of its own: one that is refused takes everything on its channel with it.
            let declared = async {
                let channel = self.link.channel().await?;
                Ok::<_, Failure>(self.topology.declare_retry(&channel, delay).await?)
            };
            declared.await.inspect_err(|_| {
                open.delays.remove(&delay);
            })?;
        }
        Ok(())
    }

    async fn opened<'open>(&self, open: &'open mut Option<Open>) -> Result<&'open mut Open, Failure> {
        if open.as_ref().is_none_or(|open| !open.channel.status().connected()) {
            let channel = self.link.channel().await?;
            self.topology.declare_lane(&channel, self.lane).await?;
            within(channel.confirm_select(ConfirmSelectOptions::default())).await?;
            *open = Some(Open { channel: Arc::new(channel), delays: HashSet::new() });
        }
        Ok(open.as_mut().expect("it was made above, this is a bug"))
    }

    /// Forgets a channel that did not answer, and with it whatever is still in line on it.
    async fn give_up(&self, channel: &Arc<Channel>) {
        let mut open = self.channel.lock().await;
        open.take_if(|open| Arc::ptr_eq(&open.channel, channel));
    }
}

impl Letter {
    fn new(exchange: String, lane: Lane, body: Vec<u8>, id: &str) -> Self {
        let properties = BasicProperties::default()
            .with_content_type("application/json".into())
            .with_delivery_mode(PERSISTENT)
            .with_message_id(id.into());
        Self { exchange, routing_key: lane.name().to_owned(), body, properties }
    }
}

impl From<BasicReturnMessage> for Letter {
    fn from(returned: BasicReturnMessage) -> Self {
        let delivery = returned.delivery;
        Self {
            exchange: delivery.exchange.to_string(),
            routing_key: delivery.routing_key.to_string(),
            body: delivery.data,
            properties: delivery.properties,
        }
    }
}
