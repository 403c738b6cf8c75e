//! The life of a verification: what every store must do.

use std::time::Duration;

use tokio::time::sleep;

use super::{
    LEASE, RETRY, accept, accept_in, claim, empty_outbox, finish, is_conflict, is_not_found, later,
    new_verification, outbox, read, reoffer_queued, report,
};
use crate::domain::{
    Failure, Kind, Lane, NewVerification, Priority, ProblemCode, REQUEST_VERSION, State, TenantId, Timestamp,
    VerificationId,
};
use crate::queue::JobMessage;
use crate::store::{Backlog, Claim, Lease, Outcome, Reoffered, Stores};

pub async fn an_accepted_verification_is_queued_and_in_the_outbox(stores: &Stores) {
    let before = Timestamp::now();
    let new = new_verification(Kind::Video, Priority::Batch);
    let created_at = stores.verifications.accept(&new).await.expect("accepted");
    let row = read(stores, &new).await;
    assert_eq!(row.created_at, created_at);
    assert_eq!((row.id, row.tenant, &row.request), (new.id, new.tenant, &new.request));
    assert_eq!((row.state, row.attempts), (State::Queued, 0));
    assert!(row.created_at >= before && row.created_at <= Timestamp::now());
    assert_eq!((row.started_at, row.finished_at), (None, None));
    assert_eq!((row.report, row.error), (None, None));
    let batch = stores.outbox.take(Lane::VideoBatch, 10).await.expect("rows");
    assert_eq!(batch.rows().len(), 1);
    assert_eq!(batch.rows()[0].message, JobMessage::new(new.id, new.traceparent));
    drop(batch);
    assert_eq!(stores.outbox.depth().await.expect("a count"), 1);
}

/// How far the store's clock may be from ours: they tick in different steps.
const CLOCKS: Duration = Duration::from_millis(50);

pub async fn an_identifier_is_accepted_once(stores: &Stores) {
    let new = accept(stores).await;
    assert!(is_conflict(&stores.verifications.accept(&new).await));
    assert_eq!(outbox(stores).await.len(), 1);
}

pub async fn another_tenant_sees_nothing(stores: &Stores) {
    let new = accept(stores).await;
    let other = TenantId::new();
    assert!(is_not_found(&stores.verifications.verification(other, new.id).await));
    assert!(is_not_found(&stores.verifications.cancel(other, new.id).await));
    assert_eq!(read(stores, &new).await.state, State::Queued);
}

pub async fn a_claimed_verification_is_held_by_one_worker(stores: &Stores) {
    let new = accept(stores).await;
    let before = Timestamp::now();
    let claim = stores.verifications.claim(new.id, "first", LEASE).await.expect("an answer");
    let Claim::Claimed(lease, row) = claim else { panic!("not claimed: {claim:?}") };
    assert_eq!(lease, Lease { id: new.id, tenant: new.tenant, owner: "first".to_owned(), attempt: 1 });
    assert_eq!((row.state, row.attempts, &row.request), (State::Processing, 1, &new.request));
    assert!(row.started_at.is_some_and(|started| started >= before));
    let second = stores.verifications.claim(new.id, "second", LEASE).await.expect("an answer");
    assert!(matches!(second, Claim::Held(until) if until >= before.after(LEASE)), "{second:?}");
}

pub async fn concurrent_claims_have_one_winner(stores: &Stores) {
    let new = accept(stores).await;
    let owners: Vec<String> = (0..16).map(|number| format!("worker {number}")).collect();
    let claims = owners.iter().map(|owner| stores.verifications.claim(new.id, owner, LEASE));
    let claims = futures::future::join_all(claims).await;
    let won = claims.iter().filter(|claim| matches!(claim, Ok(Claim::Claimed(..)))).count();
    let held = claims.iter().filter(|claim| matches!(claim, Ok(Claim::Held(_)))).count();
    assert_eq!((won, held), (1, 15));
}

pub async fn an_expired_lease_can_be_claimed(stores: &Stores) {
    let new = accept(stores).await;
    claim(stores, new.id, "dead", Duration::ZERO).await;
    let lease = claim(stores, new.id, "alive", LEASE).await;
    assert_eq!(lease.attempt, 2);
}

pub async fn a_renewed_lease_is_held_longer(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "first", Duration::ZERO).await;
    stores.verifications.renew(&lease, LEASE).await.expect("renewed");
    let second = stores.verifications.claim(new.id, "second", LEASE).await.expect("an answer");
    assert!(matches!(second, Claim::Held(_)), "{second:?}");
}

pub async fn a_lost_lease_can_write_nothing(stores: &Stores) {
    let new = accept(stores).await;
    let lost = claim(stores, new.id, "slow", Duration::ZERO).await;
    let held = claim(stores, new.id, "quick", LEASE).await;
    let outcomes = [
        Outcome::Succeeded(Box::new(report())),
        Outcome::Failed(Failure::new(ProblemCode::Internal, "late")),
        RETRY,
        Outcome::GivenBack,
    ];
    for outcome in &outcomes {
        assert!(is_conflict(&stores.verifications.finish(&lost, outcome).await), "{outcome:?}");
    }
    assert!(is_conflict(&stores.verifications.renew(&lost, LEASE).await));
    let same_owner = Lease { attempt: lost.attempt, ..held.clone() };
    assert!(is_conflict(&stores.verifications.finish(&same_owner, &RETRY).await));
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.attempts, row.report, row.error), (State::Processing, 2, None, None));
    finish(stores, &held, Outcome::Succeeded(Box::new(report()))).await;
}

pub async fn a_success_is_written_with_its_report(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.report, row.error), (State::Succeeded, Some(report()), None));
    assert!(row.finished_at >= row.started_at && row.started_at.is_some());
}

pub async fn a_failure_is_written_with_its_reason(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    let failure = Failure::new(ProblemCode::MediaUnreadable, "the photo ends early");
    finish(stores, &lease, Outcome::Failed(failure.clone())).await;
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.report, row.error), (State::Failed, None, Some(failure)));
    assert!(row.finished_at.is_some());
}

pub async fn a_finished_verification_is_gone_for_workers(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    let again = stores.verifications.claim(new.id, "worker", LEASE).await.expect("an answer");
    assert!(matches!(again, Claim::Gone), "{again:?}");
    assert!(is_conflict(&stores.verifications.finish(&lease, &RETRY).await));
    assert_eq!(reoffer_queued(stores).await, Reoffered::default());
}

pub async fn a_retried_verification_is_queued_and_its_attempt_counts(stores: &Stores) {
    let new = accept(stores).await;
    empty_outbox(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, RETRY).await;
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 1));
    assert_eq!(outbox(stores).await, [], "the queue's own retry brings it back");
    assert_eq!(claim(stores, new.id, "worker", LEASE).await.attempt, 2);
}

pub async fn a_retried_row_whose_message_is_lost_is_offered_again(stores: &Stores) {
    let new = accept(stores).await;
    empty_outbox(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Retry { offered_ago: LEASE }).await;
    let now = Timestamp::now();
    let swept = stores.upkeep.reoffer(now, now.before(LEASE / 2), 3, 10).await.expect("a sweep");
    assert_eq!((swept.offered, outbox(stores).await.len()), (1, 1));
}

pub async fn a_verification_that_is_given_back_keeps_its_attempt(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "stopping", LEASE).await;
    finish(stores, &lease, Outcome::GivenBack).await;
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 0));
    assert_eq!(claim(stores, new.id, "other", LEASE).await.attempt, 1);
    assert!(is_conflict(&stores.verifications.finish(&lease, &RETRY).await));
}

pub async fn a_verification_that_is_given_back_is_in_the_outbox(stores: &Stores) {
    let new = accept(stores).await;
    let message = outbox(stores).await;
    for was_sent in [false, true] {
        if was_sent {
            empty_outbox(stores).await;
        }
        let lease = claim(stores, new.id, "stopping", LEASE).await;
        finish(stores, &lease, Outcome::GivenBack).await;
        assert_eq!(outbox(stores).await, message, "sent before: {was_sent}");
    }
}

pub async fn an_unknown_verification_is_gone(stores: &Stores) {
    let claim = stores.verifications.claim(VerificationId::new(), "worker", LEASE).await.expect("an answer");
    assert!(matches!(claim, Claim::Gone), "{claim:?}");
}

pub async fn a_queued_verification_can_be_canceled(stores: &Stores) {
    let new = accept(stores).await;
    stores.verifications.cancel(new.tenant, new.id).await.expect("canceled");
    let row = read(stores, &new).await;
    assert_eq!(row.state, State::Canceled);
    assert!(row.finished_at.is_some());
    let claim = stores.verifications.claim(new.id, "worker", LEASE).await.expect("an answer");
    assert!(matches!(claim, Claim::Gone), "{claim:?}");
    assert_eq!(stores.upkeep.media_due(later(), 10).await.expect("rows"), [new.id]);
}

pub async fn a_verification_in_work_or_finished_can_not_be_canceled(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    assert!(is_conflict(&stores.verifications.cancel(new.tenant, new.id).await));
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    assert!(is_conflict(&stores.verifications.cancel(new.tenant, new.id).await));
    let unknown = stores.verifications.cancel(new.tenant, VerificationId::new()).await;
    assert!(is_not_found(&unknown));
    assert_eq!(read(stores, &new).await.state, State::Succeeded);
}

pub async fn a_lanes_backlog_is_counted_up_to_a_limit(stores: &Stores) {
    for _ in 0..2 {
        accept_in(stores, Kind::Spoof, Priority::Batch).await;
    }
    let (tenant, before) = (TenantId::new(), Timestamp::now());
    for _ in 0..2 {
        let new = NewVerification { tenant, ..new_verification(Kind::Photo, Priority::Batch) };
        stores.verifications.accept(&new).await.expect("accepted");
    }
    let new = accept_in(stores, Kind::Photo, Priority::Batch).await;
    claim(stores, new.id, "worker", LEASE).await;
    sleep(Duration::from_millis(20)).await;
    let backlog =
        async |lane, limit| stores.verifications.backlog(lane, tenant, limit).await.expect("a backlog");
    let photos = backlog(Lane::PhotoBatch, 10).await;
    assert_eq!((photos.queued, photos.own), (4, 2));
    let age = photos.age.expect("they wait");
    assert!(age >= Duration::from_millis(20) && age <= Timestamp::now().since(before) + CLOCKS, "{age:?}");
    let photos = backlog(Lane::PhotoBatch, 1).await;
    assert_eq!((photos.queued, photos.own), (1, 1));
    assert_eq!(backlog(Lane::VideoBatch, 10).await, Backlog::default());
    let stranger = stores.verifications.backlog(Lane::PhotoBatch, TenantId::new(), 10).await;
    assert_eq!(stranger.expect("a backlog"), Backlog { queued: 4, ..Backlog::default() });
}

pub async fn a_row_that_was_tried_does_not_age_its_lane(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, RETRY).await;
    let backlog = stores.verifications.backlog(Lane::PhotoInteractive, new.tenant, 10).await;
    assert_eq!(backlog.expect("a backlog"), Backlog { queued: 1, own: 1, age: None });
}

pub async fn a_newer_request_is_left_to_newer_workers(stores: &Stores) {
    let mut new = new_verification(Kind::Photo, Priority::Interactive);
    new.request.version = REQUEST_VERSION + 1;
    stores.verifications.accept(&new).await.expect("accepted");
    empty_outbox(stores).await;
    let accepted = Timestamp::now();
    sleep(Duration::from_millis(20)).await;
    let claim = stores.verifications.claim(new.id, "old", LEASE).await.expect("an answer");
    assert!(matches!(claim, Claim::Newer(version) if version == REQUEST_VERSION + 1), "{claim:?}");
    let offered = stores.upkeep.reoffer(accepted, accepted.after(Duration::from_millis(10)), 3, 10).await;
    assert_eq!(offered.expect("a sweep"), Reoffered::default(), "its message is still on its way");
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 0));
}
