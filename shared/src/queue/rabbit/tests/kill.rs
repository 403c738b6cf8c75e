//! A broker that is killed and started again, which needs one of its own.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::{LANE, consumer, message};
use crate::queue::JobQueue;
use crate::queue::rabbit::RabbitQueue;
use crate::test_services::PrivateServer;

const MESSAGES: usize = 300;
const WORK: Duration = Duration::from_millis(4);
const PAUSE: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_confirmed_is_lost_when_the_broker_is_killed() {
    let Some(broker) = PrivateServer::start("rabbitmq") else { return };
    let queue = RabbitQueue::open(&broker.address().into()).await.expect("a queue");
    let (confirmed, confirmed_all) = (Mutex::new(HashSet::new()), CancellationToken::new());
    let publishing = async {
        for _ in 0..MESSAGES {
            let message = message();
            while queue.publish(LANE, &message).await.is_err() {
                sleep(PAUSE).await;
            }
            confirmed.lock().expect("no panic").insert(message.verification_id);
            sleep(WORK).await;
        }
        confirmed_all.cancel();
    };
    let killing = async {
        sleep(5 * PAUSE).await;
        tokio::task::block_in_place(|| {
            broker.kill();
            broker.start_again();
        });
    };
    let consuming = async {
        let mut worker = consumer(&queue, 8).await;
        let mut seen = HashSet::new();
        while !confirmed_all.is_cancelled() || !confirmed.lock().expect("no panic").is_subset(&seen) {
            match timeout(PAUSE, worker.next()).await {
                Ok(Ok(delivery)) => {
                    seen.insert(delivery.message.verification_id);
                    sleep(WORK).await;
                    // One that fails is delivered again.
                    let _ = delivery.ack().await;
                }
                Ok(Err(_)) => sleep(PAUSE).await,
                Err(_) => {}
            }
        }
    };
    let all = timeout(PATIENCE, async { tokio::join!(publishing, killing, consuming) }).await;
    assert!(all.is_ok(), "{} of {MESSAGES} were confirmed", confirmed.lock().expect("no panic").len());
}
