//! What every store must do. Each test takes a store that is empty.

use std::time::Duration;

use tokio::time::timeout;

use super::{Claim, Lease, Outcome, Reoffered, StoreError, Stores};
use crate::blob::BlobKey;
use crate::config::Config;
use crate::domain::{
    ApiKey, ApiKeyInfo, Evidence, Failure, KeyId, Kind, Lane, Media, MediaFormat, MediaRole, NewVerification,
    Priority, ProblemCode, REPORT_VERSION, Report, Request, Scope, SpoofEvidence, State, StillEvidence,
    TenantId, Timestamp, Verdict, Verification, VerificationId,
};
use crate::queue::JobMessage;

/// Runs every contract test, each as a test of its own. The expression makes a fresh store and whatever must live as
/// long as it does: `(guard, stores)`.
#[macro_export]
macro_rules! store_contract {
    ($made:expr) => {
        $crate::store_contract!(@each $made,
            an_accepted_verification_is_queued_and_in_the_outbox
            an_identifier_is_accepted_once
            another_tenant_sees_nothing
            a_claimed_verification_is_held_by_one_worker
            concurrent_claims_have_one_winner
            an_expired_lease_can_be_claimed
            a_renewed_lease_is_held_longer
            a_lost_lease_can_write_nothing
            a_success_is_written_with_its_report
            a_failure_is_written_with_its_reason
            a_finished_verification_is_gone_for_workers
            a_retried_verification_is_queued_and_its_attempt_counts
            a_verification_that_is_given_back_keeps_its_attempt
            an_unknown_verification_is_gone
            a_queued_verification_can_be_canceled
            a_verification_in_work_or_finished_can_not_be_canceled
            queued_rows_are_counted_by_lane_up_to_a_limit
            the_outbox_is_read_by_lane_in_order
            a_sent_row_leaves_the_outbox
            the_outbox_says_when_rows_were_added
            an_expired_lease_is_offered_again
            a_live_lease_is_left_alone
            a_row_queued_too_long_is_offered_again_once
            a_row_in_the_outbox_is_not_offered_twice
            a_row_out_of_attempts_fails_with_internal
            no_more_are_offered_again_than_asked
            recovery_queues_everything_unfinished
            recovery_fails_what_is_out_of_attempts
            media_are_due_after_the_end_until_they_are_deleted
            a_finished_row_is_deleted_after_its_media
            unknown_identifiers_are_told_from_known_ones
            unfinished_rows_are_counted_by_state
            a_tenant_is_made_once
            a_key_is_found_by_its_hash
            a_hash_belongs_to_one_key
            a_revoked_key_keeps_its_first_revocation
            a_keys_last_use_is_noted
            an_unknown_key_is_not_found
        );
    };
    (@each $made:expr, $($name:ident)*) => {
        $(#[tokio::test]
        async fn $name() {
            let (_guard, stores) = $made;
            $crate::store::contract::$name(&stores).await;
        })*
    };
}
pub use store_contract as suite;

/// Longer than any step takes.
const LEASE: Duration = Duration::from_mins(1);
const ATTEMPTS: u32 = 3;

/// A verification as a front end would accept it.
pub fn new_verification(kind: Kind, priority: Priority) -> NewVerification {
    let (id, tenant) = (VerificationId::new(), TenantId::new());
    let media = kind.roles().iter().map(|role| Media {
        role: *role,
        format: if *role == MediaRole::Video { MediaFormat::IsoMedia } else { MediaFormat::Jpeg },
        key: BlobKey::new(id, *role),
        bytes: 4,
        sha256: "00".repeat(32),
    });
    let is_video = kind == Kind::Video;
    let request = Request {
        kind,
        priority,
        media: media.collect(),
        challenge: is_video.then(|| "012345".parse().expect("six digits")),
        language: is_video.then(|| "th-TH".parse().expect("a known language")),
    };
    NewVerification { id, tenant, request, traceparent: Some("00-4bf9-00f0-01".to_owned()) }
}

/// A small report, complete in every field.
pub fn report() -> Report {
    let now = Timestamp::from_millis(1_700_000_000_123);
    let settings = Config::load(None, []).expect("the defaults load");
    Report {
        version: REPORT_VERSION,
        kind: Kind::Spoof,
        verdict: Verdict::Rejected,
        checks: Vec::new(),
        started_at: now,
        ended_at: now,
        thresholds: settings.pipeline.thresholds(),
        models: Vec::new(),
        evidence: Evidence::Spoof(SpoofEvidence {
            photo: StillEvidence { width: 640, height: 480, num_faces: 0, face: None, liveness: None },
        }),
    }
}

async fn accept(stores: &Stores) -> NewVerification {
    accept_in(stores, Kind::Photo, Priority::Interactive).await
}

async fn accept_in(stores: &Stores, kind: Kind, priority: Priority) -> NewVerification {
    let new = new_verification(kind, priority);
    stores.verifications.accept(&new).await.expect("accepted");
    new
}

async fn claim(stores: &Stores, id: VerificationId, owner: &str, lease: Duration) -> Lease {
    match stores.verifications.claim(id, owner, lease).await.expect("an answer") {
        Claim::Claimed(lease, _) => lease,
        other => panic!("not claimed: {other:?}"),
    }
}

async fn finish(stores: &Stores, lease: &Lease, outcome: Outcome) {
    stores.verifications.finish(lease, &outcome).await.expect("finished");
}

async fn read(stores: &Stores, new: &NewVerification) -> Verification {
    stores.verifications.verification(new.tenant, new.id).await.expect("the row")
}

/// Every message in the outbox, lane by lane.
async fn outbox(stores: &Stores) -> Vec<JobMessage> {
    let mut messages = Vec::new();
    for lane in Lane::ALL {
        let rows = stores.outbox.pending(lane, 1000).await.expect("rows");
        messages.extend(rows.into_iter().map(|row| row.message));
    }
    messages
}

async fn empty_outbox(stores: &Stores) {
    for lane in Lane::ALL {
        let rows = stores.outbox.pending(lane, 1000).await.expect("rows");
        let sequences: Vec<i64> = rows.iter().map(|row| row.sequence).collect();
        stores.outbox.sent(&sequences).await.expect("removed");
    }
}

/// A sweep at a time when every lease made with less than a minute has run out, and nothing has been queued too long.
async fn reoffer_leases(stores: &Stores) -> Reoffered {
    let now = Timestamp::now();
    let offered_before = now.before(Duration::from_hours(1));
    stores.upkeep.reoffer(now, offered_before, ATTEMPTS, 100).await.expect("a sweep")
}

/// A sweep at a time when everything has been queued too long.
async fn reoffer_queued(stores: &Stores) -> Reoffered {
    let now = Timestamp::now();
    stores.upkeep.reoffer(now, now.after(LEASE), ATTEMPTS, 100).await.expect("a sweep")
}

fn later() -> Timestamp {
    Timestamp::now().after(LEASE)
}

fn is_conflict<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::Conflict))
}

fn is_not_found<T>(result: &Result<T, StoreError>) -> bool {
    matches!(result, Err(StoreError::NotFound))
}

pub async fn an_accepted_verification_is_queued_and_in_the_outbox(stores: &Stores) {
    let before = Timestamp::now();
    let new = accept_in(stores, Kind::Video, Priority::Batch).await;
    let row = read(stores, &new).await;
    assert_eq!((row.id, row.tenant, &row.request), (new.id, new.tenant, &new.request));
    assert_eq!((row.state, row.attempts), (State::Queued, 0));
    assert!(row.created_at >= before && row.created_at <= Timestamp::now());
    assert_eq!((row.started_at, row.finished_at), (None, None));
    assert_eq!((row.report, row.error), (None, None));
    let pending = stores.outbox.pending(Lane::VideoBatch, 10).await.expect("rows");
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].message, JobMessage::new(new.id, new.traceparent));
    assert_eq!(stores.outbox.depth().await.expect("a count"), 1);
}

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
        Outcome::Retry,
        Outcome::GivenBack,
    ];
    for outcome in &outcomes {
        assert!(is_conflict(&stores.verifications.finish(&lost, outcome).await), "{outcome:?}");
    }
    assert!(is_conflict(&stores.verifications.renew(&lost, LEASE).await));
    let same_owner = Lease { attempt: lost.attempt, ..held.clone() };
    assert!(is_conflict(&stores.verifications.finish(&same_owner, &Outcome::Retry).await));
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
    assert!(is_conflict(&stores.verifications.finish(&lease, &Outcome::Retry).await));
    assert_eq!(reoffer_queued(stores).await, Reoffered::default());
}

pub async fn a_retried_verification_is_queued_and_its_attempt_counts(stores: &Stores) {
    let new = accept(stores).await;
    empty_outbox(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Retry).await;
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 1));
    assert_eq!(outbox(stores).await, [], "the queue's own retry brings it back");
    assert_eq!(claim(stores, new.id, "worker", LEASE).await.attempt, 2);
}

pub async fn a_verification_that_is_given_back_keeps_its_attempt(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "stopping", LEASE).await;
    finish(stores, &lease, Outcome::GivenBack).await;
    let row = read(stores, &new).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 0));
    assert_eq!(claim(stores, new.id, "other", LEASE).await.attempt, 1);
    assert!(is_conflict(&stores.verifications.finish(&lease, &Outcome::Retry).await));
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

pub async fn queued_rows_are_counted_by_lane_up_to_a_limit(stores: &Stores) {
    for _ in 0..3 {
        accept_in(stores, Kind::Spoof, Priority::Batch).await;
    }
    let new = accept_in(stores, Kind::Photo, Priority::Batch).await;
    claim(stores, new.id, "worker", LEASE).await;
    let verifications = &stores.verifications;
    assert_eq!(verifications.queued(Lane::PhotoBatch, 10).await.expect("a count"), 3);
    assert_eq!(verifications.queued(Lane::PhotoBatch, 2).await.expect("a count"), 2);
    assert_eq!(verifications.queued(Lane::VideoBatch, 10).await.expect("a count"), 0);
}

pub async fn the_outbox_is_read_by_lane_in_order(stores: &Stores) {
    let mut photos = Vec::new();
    for _ in 0..3 {
        photos.push(accept(stores).await.id);
        accept_in(stores, Kind::Video, Priority::Interactive).await;
    }
    let rows = stores.outbox.pending(Lane::PhotoInteractive, 2).await.expect("rows");
    let ids: Vec<_> = rows.iter().map(|row| row.message.verification_id).collect();
    assert_eq!(ids, photos[..2]);
    assert!(rows.iter().all(|row| row.lane == Lane::PhotoInteractive));
}

pub async fn a_sent_row_leaves_the_outbox(stores: &Stores) {
    let (first, second) = (accept(stores).await, accept(stores).await);
    let rows = stores.outbox.pending(Lane::PhotoInteractive, 10).await.expect("rows");
    assert_eq!(rows[0].message.verification_id, first.id);
    stores.outbox.sent(&[rows[0].sequence]).await.expect("removed");
    stores.outbox.sent(&[rows[0].sequence]).await.expect("removing twice is fine");
    stores.outbox.sent(&[]).await.expect("nothing is fine");
    let left: Vec<_> = outbox(stores).await.into_iter().map(|message| message.verification_id).collect();
    assert_eq!(left, [second.id]);
}

pub async fn the_outbox_says_when_rows_were_added(stores: &Stores) {
    let added = || timeout(Duration::from_secs(10), stores.outbox.added());
    accept(stores).await;
    added().await.expect("an addition before the wait is heard");
    let (heard, _) = tokio::join!(added(), accept(stores));
    heard.expect("an addition during the wait is heard");
    reoffer_queued(stores).await;
    added().await.expect("a row that is offered again is heard");
}

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

async fn add_key(stores: &Stores, tenant_name: &str) -> (ApiKeyInfo, [u8; 32]) {
    let info = ApiKeyInfo {
        id: KeyId::new(),
        tenant: stores.keys.tenant(tenant_name).await.expect("a tenant"),
        tenant_name: tenant_name.to_owned(),
        label: "front desk".to_owned(),
        scopes: vec![Scope::VerifyWrite, Scope::VerifyRead],
        created_at: Timestamp::now(),
        expires_at: Some(later()),
        revoked_at: None,
        last_used_at: None,
    };
    let hash = ApiKey::generate().hash();
    stores.keys.add_key(&info, &hash).await.expect("added");
    (info, hash)
}

pub async fn a_tenant_is_made_once(stores: &Stores) {
    let first = stores.keys.tenant("acme").await.expect("a tenant");
    assert_eq!(stores.keys.tenant("acme").await.expect("a tenant"), first);
    assert_ne!(stores.keys.tenant("other").await.expect("a tenant"), first);
}

pub async fn a_key_is_found_by_its_hash(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    let (other, _) = add_key(stores, "other").await;
    assert_eq!(stores.keys.key(&hash).await.expect("the key"), info);
    assert_eq!(stores.keys.keys().await.expect("keys"), [info, other]);
}

pub async fn a_hash_belongs_to_one_key(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    let twin = ApiKeyInfo { id: KeyId::new(), ..info };
    assert!(is_conflict(&stores.keys.add_key(&twin, &hash).await));
}

pub async fn a_revoked_key_keeps_its_first_revocation(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    stores.keys.revoke_key(info.id).await.expect("revoked");
    let first = stores.keys.key(&hash).await.expect("the key");
    assert!(!first.is_valid_at(later()) && first.revoked_at.is_some());
    tokio::time::sleep(Duration::from_millis(2)).await;
    stores.keys.revoke_key(info.id).await.expect("revoked");
    assert_eq!(stores.keys.key(&hash).await.expect("the key"), first);
}

pub async fn a_keys_last_use_is_noted(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    stores.keys.key_used(info.id).await.expect("noted");
    let used = stores.keys.key(&hash).await.expect("the key").last_used_at;
    assert!(used.is_some_and(|used| used >= info.created_at));
}

pub async fn an_unknown_key_is_not_found(stores: &Stores) {
    assert!(is_not_found(&stores.keys.key(&ApiKey::generate().hash()).await));
    assert!(is_not_found(&stores.keys.revoke_key(KeyId::new()).await));
    assert!(is_not_found(&stores.keys.key_used(KeyId::new()).await));
}
