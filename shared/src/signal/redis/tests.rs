use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::*;
use crate::test_services::{PrivateServer, address};

const REDIS: &str = "COUNTERSIGN_TEST_REDIS";

/// Longer than a signal takes, and less than a lost one.
const SOON: Duration = Duration::from_secs(2);
/// Longer than it takes to notice a loss and to come back.
const RECOVERY: Duration = Duration::from_secs(15);

async fn signal(url: &str, channel: &str) -> RedisSignal {
    RedisSignal::open(&url.into(), channel).await.expect("redis lets us in")
}

/// Unlike that of any other test.
fn channel() -> String {
    format!("countersign-test-{:016x}", rand::random::<u64>())
}

async fn hears(listener: &mut Listener, within: Duration) -> bool {
    timeout(within, listener.changed()).await.is_ok()
}

async fn becomes(hearing: &mut watch::Receiver<bool>, wanted: bool) -> bool {
    timeout(RECOVERY, hearing.wait_for(|hears| *hears == wanted)).await.is_ok_and(|seen| seen.is_ok())
}

mod contract {
    use super::*;

    crate::signal::contract::suite!({
        let Some(url) = address(REDIS) else { return };
        signal(&url, &channel()).await
    });
}

#[tokio::test]
async fn a_signal_crosses_processes_and_comes_once() {
    let Some(url) = address(REDIS) else { return };
    let channel = channel();
    let (here, there) = (signal(&url, &channel).await, signal(&url, &channel).await);
    let id = VerificationId::new();
    let (mut near, mut far) = (here.listen(id).await, there.listen(id).await);
    here.announce(id, Change::End).await;
    assert!(hears(&mut near, SOON).await && hears(&mut far, SOON).await);
    let quiet = Duration::from_millis(200);
    assert!(!hears(&mut near, quiet).await && !hears(&mut far, quiet).await);
}

#[tokio::test]
async fn thousands_listen_and_each_hears_its_own() {
    let Some(url) = address(REDIS) else { return };
    let channel = channel();
    let (here, there) = (signal(&url, &channel).await, signal(&url, &channel).await);
    let mut listeners = Vec::new();
    for _ in 0..4000 {
        let id = VerificationId::new();
        listeners.push((id, there.listen(id).await));
    }
    let (announced, silent) = listeners.split_at_mut(2000);
    for (id, _) in &*announced {
        here.announce(*id, Change::End).await;
    }
    for (_, listener) in announced {
        assert!(hears(listener, SOON).await);
    }
    for (_, listener) in silent {
        assert!(!hears(listener, Duration::ZERO).await);
    }
}

#[tokio::test]
async fn what_others_say_on_the_channel_does_no_harm() {
    let Some(url) = address(REDIS) else { return };
    let channel = channel();
    let signal = signal(&url, &channel).await;
    let id = VerificationId::new();
    let mut listener = signal.listen(id).await;
    let link = Link::new(&url.as_str().into(), &channel).expect("an address");
    let mut stranger = link.connect().await.expect("a connection");
    for message in ["", "nonsense", "0 ver_", &format!("0 {id}")] {
        let publish = redis::cmd("PUBLISH").arg(&channel).arg(message).to_owned();
        publish.query_async::<()>(&mut stranger).await.expect("published");
    }
    assert!(hears(&mut listener, SOON).await);
}

#[tokio::test]
async fn a_loss_is_told_and_listeners_hear_again_when_redis_is_back() {
    let Some(redis) = PrivateServer::start("redis") else { return };
    let url = redis.address();
    let channel = channel();
    let (here, there) = (signal(&url, &channel).await, signal(&url, &channel).await);
    let id = VerificationId::new();
    let (mut listener, mut hearing) = (there.listen(id).await, there.hearing());
    assert!(*hearing.borrow());
    redis.kill();
    assert!(becomes(&mut hearing, false).await, "the loss was not told");
    // Lost for the other process, or late.
    here.announce(id, Change::End).await;
    redis.start_again();
    assert!(becomes(&mut hearing, true).await, "the return was not told");
    // What was announced during the loss may come.
    while hears(&mut listener, SOON).await {}
    here.announce(id, Change::End).await;
    assert!(hears(&mut listener, RECOVERY).await, "later signals are lost");
}

#[tokio::test]
async fn a_paused_redis_is_noticed_and_blocks_nobody() {
    let Some(redis) = PrivateServer::start("redis") else { return };
    let url = redis.address();
    let channel = channel();
    let (here, there) = (signal(&url, &channel).await, signal(&url, &channel).await);
    let id = VerificationId::new();
    let (mut near, mut far) = (here.listen(id).await, there.listen(id).await);
    redis.pause();
    let began = Instant::now();
    for _ in 0..2 * OUTBOUND {
        here.announce(id, Change::End).await;
    }
    assert!(began.elapsed() < Duration::from_secs(1), "announcing took {:?}", began.elapsed());
    assert!(hears(&mut near, Duration::ZERO).await, "its own listeners need no redis");
    // Longer than the loss takes to be noticed: the old connection, whose messages would still arrive, is given up.
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!*there.hearing().borrow(), "the pause was not noticed");
    redis.resume();
    assert!(becomes(&mut there.hearing(), true).await, "the return was not told");
    here.announce(id, Change::End).await;
    assert!(hears(&mut far, RECOVERY).await, "signals do not arrive after the pause");
}

#[tokio::test]
async fn a_process_starts_without_redis_and_is_reached_when_redis_comes() {
    let Some(redis) = PrivateServer::start("redis") else { return };
    let url = redis.address();
    redis.kill();
    let channel = channel();
    let (here, there) = (signal(&url, &channel).await, signal(&url, &channel).await);
    let id = VerificationId::new();
    let mut listener = there.listen(id).await;
    assert!(!*there.hearing().borrow());
    redis.start_again();
    assert!(becomes(&mut there.hearing(), true).await, "the start was not noticed");
    here.announce(id, Change::End).await;
    assert!(hears(&mut listener, RECOVERY).await, "no signal arrives");
}

#[tokio::test]
async fn a_wrong_password_and_a_malformed_address_are_errors() {
    let Some(url) = address(REDIS) else { return };
    let wrong = url.replace("redis://", "redis://nobody:secret@");
    let refused = RedisSignal::open(&wrong.as_str().into(), &channel()).await.err().expect("refused");
    assert!(matches!(refused, OpenError::Refused { .. }), "{refused:?}");
    assert!(!refused.to_string().contains("secret"), "{refused}");
    let malformed = RedisSignal::open(&"redis://host:port".into(), &channel()).await.err();
    assert!(matches!(malformed, Some(OpenError::InvalidUrl { .. })));
}
