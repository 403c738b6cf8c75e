//! What every store must do. Each test takes a store that is empty.

mod deliveries;
mod keys;
mod outbox;
mod overview;
mod reviews;
mod transitions;
mod upkeep;
mod verifications;
mod webhooks;

use std::time::Duration;

pub use self::deliveries::*;
pub use self::keys::*;
pub use self::outbox::*;
pub use self::overview::*;
pub use self::reviews::*;
pub use self::transitions::*;
pub use self::upkeep::*;
pub use self::verifications::*;
pub use self::webhooks::*;
use super::{Claim, Lease, Outcome, Reoffered, StoreError, Stores};
use crate::blob::BlobKey;
use crate::config::Config;
use crate::domain::{
    Evidence, Kind, Lane, Media, MediaFormat, MediaRole, NewVerification, Priority, REPORT_VERSION,
    REQUEST_VERSION, Report, Request, SpoofEvidence, StillEvidence, TenantId, Timestamp, Verdict,
    Verification, VerificationId,
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
            a_retried_row_whose_message_is_lost_is_offered_again
            a_verification_that_is_given_back_keeps_its_attempt
            a_verification_that_is_given_back_is_in_the_outbox
            an_unknown_verification_is_gone
            a_queued_verification_can_be_canceled
            a_verification_in_work_or_finished_can_not_be_canceled
            a_lanes_backlog_is_counted_up_to_a_limit
            a_row_that_was_tried_does_not_age_its_lane
            a_newer_request_is_left_to_newer_workers
            a_tenants_verifications_are_listed_newest_first
            a_list_holds_what_its_filter_asks_for
            a_search_that_ends_early_goes_on_behind_it
            a_list_ends_where_its_rows_end
            the_progress_of_many_is_seen_at_once
            a_review_stands_beside_the_result
            the_latest_review_is_shown_and_all_are_kept
            only_what_has_finished_is_reviewed
            another_tenant_reviews_nothing
            reviews_are_bounded
            reviews_go_with_their_verification
            the_store_allows_what_the_domain_allows
            the_outbox_is_read_by_lane_in_order
            tenants_take_turns_in_the_outbox
            a_batch_that_is_dropped_is_free_again
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
            a_turn_is_taken_by_one_and_comes_again
            the_stores_clock_is_a_clock
            a_tenant_is_made_once
            a_key_is_found_by_its_hash
            a_hash_belongs_to_one_key
            a_revoked_key_keeps_its_first_revocation
            a_keys_last_use_is_noted
            an_unknown_key_is_not_found
            an_endpoint_reads_back
            a_tenant_has_no_more_endpoints_than_it_may
            an_endpoint_is_changed_as_far_as_is_said
            a_secret_is_rotated_and_the_old_one_stays_for_a_while
            a_tenants_secret_is_made_once_and_rotated
            another_tenants_endpoint_does_not_exist
            an_end_is_told_to_those_who_want_to_hear_of_it
            every_way_to_an_end_is_told
            a_verifications_own_url_is_told_too
            deliveries_go_with_their_verification
            deliveries_are_listed_newest_first_and_by_state
            a_delivery_is_held_by_one_sender
            endpoints_take_turns
            an_endpoint_has_no_more_under_way_than_it_may
            a_lease_that_ran_out_is_taken_over
            a_delivery_that_failed_is_due_again_later
            an_end_is_final_until_it_is_sent_again
            the_log_of_attempts_is_bounded
            an_endpoint_is_failing_from_its_first_failure_to_its_next_success
            an_endpoint_that_is_disabled_is_a_notice_to_the_others
            deliveries_are_forgotten_after_their_end
            the_oldest_that_is_due_is_known
            the_store_says_when_deliveries_were_added
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
const RETRY: Outcome = Outcome::Retry { offered_ago: Duration::ZERO };

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
        version: REQUEST_VERSION,
        kind,
        priority,
        media: media.collect(),
        challenge: is_video.then(|| "012345".parse().expect("six digits")),
        language: is_video.then(|| "th-TH".parse().expect("a known language")),
        metadata: None,
        webhook_url: None,
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
        let batch = stores.outbox.take(lane, 1000).await.expect("rows");
        messages.extend(batch.rows().iter().map(|row| row.message.clone()));
    }
    messages
}

async fn empty_outbox(stores: &Stores) {
    for lane in Lane::ALL {
        let batch = stores.outbox.take(lane, 1000).await.expect("rows");
        let sequences: Vec<i64> = batch.rows().iter().map(|row| row.sequence).collect();
        batch.sent(&sequences).await.expect("removed");
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
