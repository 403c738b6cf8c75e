//! How many messages wait in a queue.

use std::collections::HashMap;
use std::sync::Arc;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;
use tokio::sync::Mutex;

use super::failure::{Failure, set_up, within};
use super::link::Link;

pub(super) struct Gauge {
    link: Arc<Link>,
    /// One for each queue: asking for a queue that is not there costs the channel.
    channels: Mutex<HashMap<String, Channel>>,
}

impl Gauge {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link, channels: Mutex::default() }
    }

    /// Without unsettled deliveries. A queue that is not there holds nothing; whoever sends to it makes it.
    pub(super) async fn depth(&self, queue: String) -> Result<u64, Failure> {
        let channel = set_up(self.channel(&queue)).await?;
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let declared = channel.queue_declare(queue.into(), options, FieldTable::default());
        match within(declared).await {
            Err(failure) if failure.is_of_nothing() => Ok(0),
            declared => Ok(u64::from(declared?.message_count())),
        }
    }

    async fn channel(&self, queue: &str) -> Result<Channel, Failure> {
        let mut channels = self.channels.lock().await;
        if let Some(channel) = channels.get(queue).filter(|channel| channel.status().connected()) {
            return Ok(channel.clone());
        }
        let channel = self.link.channel().await?;
        channels.insert(queue.to_owned(), channel.clone());
        Ok(channel)
    }
}
