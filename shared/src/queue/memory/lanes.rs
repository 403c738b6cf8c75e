//! What waits in each lane, and what will be back later.

use std::collections::{BTreeMap, HashSet, VecDeque};

use tokio::time::Instant;

use crate::domain::{Lane, VerificationId};
use crate::queue::{JobMessage, QueueError};

/// Bounded by its capacity and the deliveries in consumers' hands, which always may come back.
pub(super) struct Lanes {
    capacity: u64,
    closed: bool,
    waiting: [Waiting; Lane::ALL.len()],
    /// By due time, then by order of arrival.
    delayed: BTreeMap<(Instant, u64), (Lane, JobMessage)>,
    arrivals: u64,
}

#[derive(Default)]
struct Waiting {
    messages: VecDeque<JobMessage>,
    /// What the messages are about: a second one about the same verification says nothing new.
    ids: HashSet<VerificationId>,
}

impl Lanes {
    pub(super) fn new(capacity: u64) -> Self {
        Self { capacity, closed: false, waiting: Default::default(), delayed: BTreeMap::new(), arrivals: 0 }
    }

    pub(super) fn publish(&mut self, lane: Lane, message: JobMessage) -> Result<(), QueueError> {
        if self.closed {
            return Err(QueueError::Closed);
        }
        let (capacity, waiting) = (self.capacity, &mut self.waiting[lane as usize]);
        if waiting.ids.contains(&message.verification_id) {
            return Ok(());
        }
        if waiting.messages.len() as u64 >= capacity {
            return Err(QueueError::Full);
        }
        waiting.ids.insert(message.verification_id);
        waiting.messages.push_back(message);
        Ok(())
    }

    pub(super) fn take(&mut self, lane: Lane) -> Option<JobMessage> {
        let waiting = &mut self.waiting[lane as usize];
        let message = waiting.messages.pop_front()?;
        waiting.ids.remove(&message.verification_id);
        Some(message)
    }

    /// Back to the head of its lane: it has waited its turn already.
    pub(super) fn give_back(&mut self, lane: Lane, message: JobMessage) {
        let waiting = &mut self.waiting[lane as usize];
        if waiting.ids.insert(message.verification_id) {
            waiting.messages.push_front(message);
        }
    }

    pub(super) fn delay(&mut self, lane: Lane, message: JobMessage, due: Instant) {
        self.arrivals += 1;
        self.delayed.insert((due, self.arrivals), (lane, message));
    }

    /// Puts what is due back into its lane.
    pub(super) fn bring_back_due(&mut self, now: Instant) {
        while let Some(entry) = self.delayed.first_entry()
            && entry.key().0 <= now
        {
            let (lane, message) = entry.remove();
            self.give_back(lane, message);
        }
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        self.delayed.first_key_value().map(|((due, _), _)| *due)
    }

    pub(super) fn depth(&self, lane: Lane) -> u64 {
        self.waiting[lane as usize].messages.len() as u64
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }
}
