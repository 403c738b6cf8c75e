//! On the broker of `COUNTERSIGN_TEST_RABBITMQ`, each test below a prefix of its own.

mod broker;

use self::broker::queue;
use crate::queue::contract;

crate::queue::contract::suite!(queue(contract::MAX_DEPTH as u32).await);
