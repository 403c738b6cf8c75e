//! What every store must do. Each test takes a store that is empty.

mod audit;
mod challenges;
mod deliveries;
mod erasure;
mod idempotency;
mod keys;
mod outbox;
mod overview;
mod reviews;
mod tenants;
mod transitions;
mod upkeep;
mod usage;
mod verifications;
mod webhooks;

use std::time::Duration;

pub use self::audit::*;
pub use self::challenges::*;
pub use self::deliveries::*;
pub use self::erasure::*;
pub use self::idempotency::*;
pub use self::keys::*;
pub use self::outbox::*;
pub use self::overview::*;
pub use self::reviews::*;
pub use self::tenants::*;
pub use self::transitions::*;
pub use self::upkeep::*;
pub use self::usage::*;
pub use self::verifications::*;
pub use self::webhooks::*;
use super::{Claim, Lease, Outcome, Reoffered, StoreError, Stores};
use crate::blob::BlobKey;
use crate::config::Config;
use crate::domain::{
    Evidence, KeyId, Kind, Lane, Media, MediaFormat, MediaRole, NewVerification, Priority, REPORT_VERSION,
    Report, Request, SpoofEvidence, StillEvidence, TenantId, Timestamp, Verdict, Verification,
    VerificationId,
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
            a_tenants_name_is_its_own
            tenants_are_listed_newest_first
            a_suspension_and_new_limits_are_kept_and_told
            an_unknown_tenant_is_not_found
            a_key_is_found_by_its_hash
            a_hash_belongs_to_one_key
            a_key_belongs_to_a_tenant
            keys_are_listed_newest_first_of_one_tenant_or_all
            a_keys_limits_come_before_its_tenants
            a_changed_key_is_kept_and_told
            a_revoked_key_keeps_its_first_revocation
            a_rotated_key_has_a_successor_and_ends_soon
            a_key_that_is_not_valid_has_no_successor
            a_keys_last_use_is_noted
            an_unknown_key_is_not_found
            an_endpoint_reads_back
            a_tenant_has_no_more_endpoints_than_it_may
            an_endpoint_is_changed_as_far_as_is_said
            a_secret_is_rotated_and_the_old_one_stays_for_a_while
            a_tenants_secret_is_made_once_and_rotated
            who_changes_an_endpoint_is_audited
            another_tenants_endpoint_does_not_exist
            an_end_is_told_to_those_who_want_to_hear_of_it
            every_way_to_an_end_is_told
            a_verifications_own_url_is_told_too
            deliveries_go_with_their_verification
            deliveries_are_listed_newest_first_and_by_state
            deliveries_about_a_verification_are_listed_whoever_they_go_to
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
            the_audit_log_is_read_newest_first
            the_audit_log_is_filtered
            a_change_that_fails_leaves_no_entry
            an_accepted_verification_is_counted_once
            usage_is_the_same_before_and_after_folding
            folders_at_once_count_each_once
            an_erased_verification_is_gone_with_everything_about_it
            an_erased_verification_can_not_be_finished
            another_tenant_erases_nothing
            media_are_to_be_erased_until_they_are
            a_reserved_key_is_taken_for_everyone_else
            a_tenants_key_is_its_own
            a_key_is_free_when_its_reservation_ends_or_is_released
            a_reservation_is_extended_by_its_owner_alone
            of_concurrent_reservations_one_is_held
            an_answer_is_kept_with_its_verification
            an_answer_is_neither_released_nor_taken_over
            whoever_lost_its_reservation_accepts_nothing
            a_verification_that_is_not_accepted_keeps_no_answer
            an_answer_is_forgotten_after_its_time
            a_live_reservation_is_not_swept
            an_issued_challenge_is_open_until_it_expires
            another_tenants_challenge_is_unknown
            a_challenge_is_used_up_with_its_verification
            a_challenge_that_is_not_open_is_written_into_the_request
            a_challenge_with_other_digits_is_used_up_too
            of_concurrent_uses_of_a_challenge_one_is_accepted
            a_request_that_accepts_nothing_uses_up_no_challenge
            challenges_are_deleted_after_their_expiry
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
        version: Request::version_with(None),
        kind,
        priority,
        media: media.collect(),
        challenge: is_video.then(|| "012345".parse().expect("six digits")),
        language: is_video.then(|| "th-TH".parse().expect("a known language")),
        metadata: None,
        webhook_url: None,
        named_challenge: None,
    };
    let traceparent = Some("00-4bf9-00f0-01".to_owned());
    NewVerification { id, tenant, key: KeyId::new(), request, traceparent, completion: None }
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
        evidence: Evidence::Spoof(SpoofEvidence { photo: StillEvidence::faceless(640, 480) }),
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
