//! How many messages wait in a queue.

use std::sync::Arc;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::sync::Mutex;

use super::failure::{Failure, set_up, within};
use super::link::Link;

pub(super) struct Gauge {
    link: Arc<Link>,
    channel: Mutex<Option<Channel>>,
}

impl Gauge {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, channel: Mutex::default() }
    }

    /// Without unsettled deliveries.
    pub(super) async fn depth(&self, queue: String) -> Result<u64, Failure> {
        let channel = set_up(self.channel()).await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let declared = within(channel.queue_declare(queue.into(), options, FieldTable::default())).await?;
        Ok(u64::from(declared.message_count()))
    }

    async fn channel(&self) -> Result<Channel, Failure> {
        let mut open = self.channel.lock().await;
        if let Some(channel) = open.as_ref().filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        Ok(open.insert(self.link.channel().await?).clone())
    }
}
