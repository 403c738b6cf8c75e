//! What every signal must do.

use std::time::Duration;

use tokio::time::timeout;

use super::{Change, Listener, Signal};
use crate::domain::VerificationId;

/// Longer than any announcement takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Long enough to see that nothing comes.
const QUIET: Duration = Duration::from_millis(100);

/// Runs every contract test, each as a test of its own on a fresh signal.
#[macro_export]
macro_rules! signal_contract {
    ($signal:expr) => {
        $crate::signal_contract!(@each $signal,
            an_announcement_before_the_wait_is_not_lost
            an_announcement_during_the_wait_is_heard
            an_abandoned_wait_loses_nothing
            every_listener_hears
            another_verification_is_not_heard
            an_announcement_before_the_registration_is_not_heard
            each_announcement_is_heard_once
            who_waits_for_the_end_sleeps_through_progress
            announcing_to_nobody_is_harmless
            those_who_listen_can_be_woken_here_alone
            nothing_is_listened_to_when_the_last_listener_is_gone
        );
    };
    (@each $signal:expr, $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            $crate::signal::contract::$name(&$signal).await;
        })*
    };
}
pub use signal_contract as suite;

async fn hears(listener: &mut Listener) -> bool {
    timeout(PATIENCE, listener.changed()).await.is_ok()
}

async fn is_quiet(listener: &mut Listener) -> bool {
    timeout(QUIET, listener.changed()).await.is_err()
}

/// The waiter registers, then reads the row; the worker finishes in between.
pub async fn an_announcement_before_the_wait_is_not_lost(signal: &dyn Signal) {
    let id = VerificationId::new();
    let mut listener = signal.listen(id).await;
    signal.announce(id, Change::End).await;
    assert!(hears(&mut listener).await);
}

pub async fn an_announcement_during_the_wait_is_heard(signal: &dyn Signal) {
    let id = VerificationId::new();
    let mut listener = signal.listen(id).await;
    let announce = async {
        tokio::time::sleep(QUIET).await;
        signal.announce(id, Change::End).await;
    };
    assert!(tokio::join!(hears(&mut listener), announce).0);
}

pub async fn an_abandoned_wait_loses_nothing(signal: &dyn Signal) {
    let id = VerificationId::new();
    let mut listener = signal.listen(id).await;
    assert!(is_quiet(&mut listener).await);
    signal.announce(id, Change::End).await;
    assert!(hears(&mut listener).await);
}

pub async fn every_listener_hears(signal: &dyn Signal) {
    let id = VerificationId::new();
    let (mut first, mut second) = (signal.listen(id).await, signal.listen(id).await);
    signal.announce(id, Change::End).await;
    assert!(hears(&mut first).await && hears(&mut second).await);
}

pub async fn another_verification_is_not_heard(signal: &dyn Signal) {
    let mut listener = signal.listen(VerificationId::new()).await;
    signal.announce(VerificationId::new(), Change::End).await;
    assert!(is_quiet(&mut listener).await);
}

pub async fn an_announcement_before_the_registration_is_not_heard(signal: &dyn Signal) {
    let id = VerificationId::new();
    signal.announce(id, Change::End).await;
    let mut listener = signal.listen(id).await;
    assert!(is_quiet(&mut listener).await);
}

pub async fn each_announcement_is_heard_once(signal: &dyn Signal) {
    let id = VerificationId::new();
    let mut listener = signal.listen(id).await;
    signal.announce(id, Change::End).await;
    assert!(hears(&mut listener).await);
    assert!(is_quiet(&mut listener).await);
    signal.announce(id, Change::End).await;
    assert!(hears(&mut listener).await);
}

pub async fn who_waits_for_the_end_sleeps_through_progress(signal: &dyn Signal) {
    let id = VerificationId::new();
    let (mut follower, mut waiter) = (signal.listen(id).await, signal.listen(id).await);
    signal.announce(id, Change::Progress).await;
    assert!(hears(&mut follower).await);
    assert!(timeout(QUIET, waiter.ended()).await.is_err());
    signal.announce(id, Change::End).await;
    // Seen before the end, and told after it.
    signal.wake(id, Change::Progress);
    assert!(timeout(PATIENCE, waiter.ended()).await.is_ok());
}

pub async fn announcing_to_nobody_is_harmless(signal: &dyn Signal) {
    for _ in 0..1000 {
        signal.announce(VerificationId::new(), Change::End).await;
    }
}

pub async fn those_who_listen_can_be_woken_here_alone(signal: &dyn Signal) {
    let (id, other) = (VerificationId::new(), VerificationId::new());
    let (mut listener, mut stranger) = (signal.listen(id).await, signal.listen(other).await);
    signal.wake(id, Change::End);
    assert!(hears(&mut listener).await && is_quiet(&mut stranger).await);
}

pub async fn nothing_is_listened_to_when_the_last_listener_is_gone(signal: &dyn Signal) {
    let id = VerificationId::new();
    let (first, second) = (signal.listen(id).await, signal.listen(id).await);
    drop(first);
    assert_eq!(signal.listened(), [id]);
    drop(second);
    assert_eq!(signal.listened(), []);
    assert!(*signal.hearing().borrow(), "it is connected");
}
