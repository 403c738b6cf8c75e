//! The sweeps: what every store must do.

use std::time::Duration;

use futures::future::join_all;

use super::{
    ATTEMPTS, LEASE, accept, claim, empty_outbox, finish, is_not_found, later, outbox, read, reoffer_leases,
    reoffer_queued, report,
};
use crate::domain::{ProblemCode, State, Timestamp, VerificationId};
use crate::queue::JobMessage;
use crate::store::{Outcome, Reoffered, Stores};

pub async fn an_expired_lease_is_offered_again(stores: &Stores) {
    let new = accept(stores).await;
    empty_outbox(stores).await;
    claim(stores, new.id, "dead", Duration::ZERO).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(reoffer_leases(stores).await, Reoffered { offered: 1, exhausted: vec![] });
    assert_eq!(read(stores, &new).await.state, State::Queued);
    assert_eq!(outbox(stores).await, [JobMessage::new(new.id, new.traceparent)]);
}

pub async fn a_live_lease_is_left_alone(stores: &Stores) {
    let new = accept(stores).await;
    claim(stores, new.id, "alive", LEASE).await;
    assert_eq!(reoffer_leases(stores).await, Reoffered::default());
    assert_eq!(read(stores, &new).await.state, State::Processing);
}

pub async fn a_row_queued_too_long_is_offered_again_once(stores: &Stores) {
    let new = accept(stores).await;
    empty_outbox(stores).await;
    assert_eq!(reoffer_leases(stores).await, Reoffered::default());
    tokio::time::sleep(Duration::from_millis(2)).await;
    let now = Timestamp::now();
    let sweep = || stores.upkeep.reoffer(now, now, ATTEMPTS, 100);
    assert_eq!(sweep().await.expect("a sweep"), Reoffered { offered: 1, exhausted: vec![] });
    assert_eq!(outbox(stores).await, [JobMessage::new(new.id, new.traceparent)]);
    empty_outbox(stores).await;
    assert_eq!(sweep().await.expect("a sweep"), Reoffered::default(), "its time has begun anew");
}

pub async fn a_row_in_the_outbox_is_not_offered_twice(stores: &Stores) {
    accept(stores).await;
    reoffer_queued(stores).await;
    reoffer_queued(stores).await;
    assert_eq!(outbox(stores).await.len(), 1);
}

pub async fn a_row_out_of_attempts_fails_with_internal(stores: &Stores) {
    let new = accept(stores).await;
    for attempt in 1..=ATTEMPTS {
        let lease = claim(stores, new.id, "dead", Duration::ZERO).await;
        assert_eq!(lease.attempt, attempt);
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    assert_eq!(reoffer_leases(stores).await, Reoffered { offered: 0, exhausted: vec![new.id] });
    let row = read(stores, &new).await;
    assert_eq!(row.state, State::Failed);
    assert!(row.error.is_some_and(|error| error.code == ProblemCode::Internal));
    assert!(row.finished_at.is_some());
}

pub async fn no_more_are_offered_again_than_asked(stores: &Stores) {
    for _ in 0..3 {
        accept(stores).await;
    }
    tokio::time::sleep(Duration::from_millis(2)).await;
    let now = Timestamp::now();
    for expected in [2, 1, 0] {
        let swept = stores.upkeep.reoffer(now, now, ATTEMPTS, 2).await.expect("a sweep");
        assert_eq!(swept.offered, expected);
    }
}

pub async fn recovery_queues_everything_unfinished(stores: &Stores) {
    let (held, queued, done) = (accept(stores).await, accept(stores).await, accept(stores).await);
    claim(stores, held.id, "killed", LEASE).await;
    let lease = claim(stores, done.id, "killed", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    empty_outbox(stores).await;
    let recovered = stores.upkeep.recover(ATTEMPTS).await.expect("recovered");
    assert_eq!(recovered, Reoffered { offered: 2, exhausted: vec![] });
    let row = read(stores, &held).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 1));
    let offered: Vec<_> = outbox(stores).await.into_iter().map(|message| message.verification_id).collect();
    assert_eq!(offered, [held.id, queued.id]);
    assert_eq!(read(stores, &done).await.state, State::Succeeded);
}

pub async fn recovery_fails_what_is_out_of_attempts(stores: &Stores) {
    let new = accept(stores).await;
    for _ in 0..ATTEMPTS {
        claim(stores, new.id, "killed", Duration::ZERO).await;
    }
    let recovered = stores.upkeep.recover(ATTEMPTS).await.expect("recovered");
    assert_eq!(recovered, Reoffered { offered: 0, exhausted: vec![new.id] });
    assert_eq!(read(stores, &new).await.state, State::Failed);
}

pub async fn media_are_due_after_the_end_until_they_are_deleted(stores: &Stores) {
    let (done, running) = (accept(stores).await, accept(stores).await);
    let lease = claim(stores, done.id, "worker", LEASE).await;
    claim(stores, running.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    let upkeep = &stores.upkeep;
    assert_eq!(upkeep.media_due(Timestamp::now().before(LEASE), 10).await.expect("rows"), []);
    assert_eq!(upkeep.media_due(later(), 10).await.expect("rows"), [done.id]);
    assert_eq!(upkeep.media_due(later(), 0).await.expect("rows"), []);
    upkeep.media_deleted(&[done.id]).await.expect("noted");
    assert_eq!(upkeep.media_due(later(), 10).await.expect("rows"), []);
    assert_eq!(read(stores, &done).await.report, Some(report()));
}

pub async fn a_finished_row_is_deleted_after_its_media(stores: &Stores) {
    let done = accept(stores).await;
    let lease = claim(stores, done.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    let upkeep = &stores.upkeep;
    assert_eq!(upkeep.delete_finished(later(), 10).await.expect("a count"), 0);
    upkeep.media_deleted(&[done.id]).await.expect("noted");
    assert_eq!(upkeep.delete_finished(Timestamp::now().before(LEASE), 10).await.expect("a count"), 0);
    assert_eq!(upkeep.delete_finished(later(), 10).await.expect("a count"), 1);
    assert!(is_not_found(&stores.verifications.verification(done.tenant, done.id).await));
}

pub async fn unknown_identifiers_are_told_from_known_ones(stores: &Stores) {
    let known = accept(stores).await.id;
    let (first, second) = (VerificationId::new(), VerificationId::new());
    let unknown = stores.upkeep.unknown(&[first, known, second]).await.expect("an answer");
    assert_eq!(unknown, [first, second]);
    assert_eq!(stores.upkeep.unknown(&[]).await.expect("an answer"), []);
}

pub async fn unfinished_rows_are_counted_by_state(stores: &Stores) {
    let first = accept(stores).await;
    for _ in 0..2 {
        accept(stores).await;
    }
    claim(stores, first.id, "worker", LEASE).await;
    let counts = stores.upkeep.counts().await.expect("counts");
    assert!(counts.contains(&(State::Queued, 2)) && counts.contains(&(State::Processing, 1)), "{counts:?}");
}

pub async fn a_turn_is_taken_by_one_and_comes_again(stores: &Stores) {
    let (now, every) = (Timestamp::now(), Duration::from_mins(1));
    let take = async |duty, now| stores.upkeep.take_turn(duty, now, every).await.expect("an answer");
    let taken = join_all((0..10).map(|_| take("sweep", now))).await;
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1);
    assert!(take("another", now).await);
    assert!(!take("sweep", now.after(every / 2)).await);
    assert!(take("sweep", now.after(every)).await);
}

pub async fn the_stores_clock_is_a_clock(stores: &Stores) {
    let first = stores.upkeep.now().await.expect("a time");
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert!(stores.upkeep.now().await.expect("a time") > first);
}
