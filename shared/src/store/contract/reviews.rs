//! Moderators' decisions: what every store must do.

use super::audit::audited;
use super::{LEASE, accept, claim, finish, is_conflict, is_not_found, later, read, report};
use crate::domain::{Decision, KeyId, NewReview, NewVerification, TenantId, Timestamp};
use crate::store::overview::{Filter, Listed};
use crate::store::reviews::MOST_REVIEWS;
use crate::store::{Outcome, Stores};

async fn finished(stores: &Stores) -> NewVerification {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    new
}

fn review(decision: Decision) -> NewReview {
    NewReview { decision, reason: Some("the card is another one".to_owned()), reviewer: KeyId::new() }
}

pub async fn a_review_stands_beside_the_result(stores: &Stores) {
    let new = finished(stores).await;
    let before = read(stores, &new).await;
    assert_eq!(before.review, None);
    let noted = NewReview { reason: None, ..review(Decision::Approved) };
    let started = Timestamp::now();
    let added = stores.reviews.add_review(new.tenant, new.id, &noted).await.expect("noted");
    assert_eq!((added.decision, &added.reason, added.reviewer), (Decision::Approved, &None, noted.reviewer));
    assert!(added.at >= started && added.at <= Timestamp::now());
    let after = read(stores, &new).await;
    assert_eq!(after.review, Some(added));
    assert_eq!((after.state, after.report), (before.state, before.report));
    assert_eq!(audited(stores, new.id).await, ["verification.reviewed"]);
}

pub async fn the_latest_review_is_shown_and_all_are_kept(stores: &Stores) {
    let new = finished(stores).await;
    let mut latest_first = Vec::new();
    for decision in [Decision::Escalated, Decision::Approved, Decision::Rejected] {
        let added = stores.reviews.add_review(new.tenant, new.id, &review(decision)).await.expect("noted");
        latest_first.insert(0, added);
    }
    assert_eq!(read(stores, &new).await.review.as_ref(), latest_first.first());
    let page = stores.overview.list(new.tenant, &Filter::default(), None, 10).await.expect("a page");
    let [Listed::Readable(row)] = &page.rows[..] else { panic!("{page:?}") };
    assert_eq!(row.review.as_ref(), latest_first.first());
    assert_eq!(stores.reviews.reviews(new.tenant, new.id).await.expect("all"), latest_first);
}

pub async fn only_what_has_finished_is_reviewed(stores: &Stores) {
    let new = accept(stores).await;
    let add = async || stores.reviews.add_review(new.tenant, new.id, &review(Decision::Approved)).await;
    assert!(is_conflict(&add().await), "queued");
    claim(stores, new.id, "worker", LEASE).await;
    assert!(is_conflict(&add().await), "in work");
    let canceled = accept(stores).await;
    stores.verifications.cancel(canceled.tenant, canceled.id).await.expect("canceled");
    let add = stores.reviews.add_review(canceled.tenant, canceled.id, &review(Decision::Approved)).await;
    assert!(is_conflict(&add), "canceled");
    assert_eq!(stores.reviews.reviews(new.tenant, new.id).await.expect("none"), []);
}

pub async fn another_tenant_reviews_nothing(stores: &Stores) {
    let new = finished(stores).await;
    let other = TenantId::new();
    let add = stores.reviews.add_review(other, new.id, &review(Decision::Approved)).await;
    assert!(is_not_found(&add));
    assert!(is_not_found(&stores.reviews.reviews(other, new.id).await));
    assert_eq!(read(stores, &new).await.review, None);
    assert_eq!(audited(stores, new.id).await, Vec::<String>::new());
}

pub async fn reviews_are_bounded(stores: &Stores) {
    let new = finished(stores).await;
    let add = async || stores.reviews.add_review(new.tenant, new.id, &review(Decision::Escalated)).await;
    for _ in 0..MOST_REVIEWS {
        add().await.expect("noted");
    }
    assert!(is_conflict(&add().await));
    let kept = stores.reviews.reviews(new.tenant, new.id).await.expect("all");
    assert_eq!(kept.len(), MOST_REVIEWS as usize);
}

pub async fn reviews_go_with_their_verification(stores: &Stores) {
    let new = finished(stores).await;
    stores.reviews.add_review(new.tenant, new.id, &review(Decision::Approved)).await.expect("noted");
    stores.upkeep.media_deleted(&[new.id]).await.expect("noted");
    assert_eq!(stores.upkeep.delete_finished(later(), 10).await.expect("a count"), 1);
    assert!(is_not_found(&stores.reviews.reviews(new.tenant, new.id).await));
}
