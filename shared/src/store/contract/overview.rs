//! Many verifications at once: what every store must do.

use super::{LEASE, accept, accept_in, claim, finish, new_verification, report};
use crate::domain::{
    Failure, Kind, NewVerification, Priority, ProblemCode, State, TenantId, Timestamp, VerificationId,
};
use crate::store::overview::{Filter, Listed, Page, Progress, SCANNED};
use crate::store::{Outcome, Stores};

async fn accept_of(stores: &Stores, tenant: TenantId, kind: Kind) -> VerificationId {
    let new = NewVerification { tenant, ..new_verification(kind, Priority::Batch) };
    stores.verifications.accept(&new).await.expect("accepted");
    new.id
}

async fn list(
    stores: &Stores,
    tenant: TenantId,
    filter: Filter,
    before: Option<VerificationId>,
    limit: u32,
) -> Page {
    stores.overview.list(tenant, &filter, before, limit).await.expect("a page")
}

/// Every page of it, and how many they were.
async fn listed(stores: &Stores, tenant: TenantId, filter: Filter) -> (Vec<VerificationId>, u32) {
    let (mut ids, mut before, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = list(stores, tenant, filter, before, 2).await;
        assert!(page.rows.len() <= 2);
        ids.extend(page.rows.iter().map(Listed::id));
        pages += 1;
        before = page.next;
        if before.is_none() {
            return (ids, pages);
        }
    }
}

pub async fn a_tenants_verifications_are_listed_newest_first(stores: &Stores) {
    let tenant = TenantId::new();
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        newest_first.insert(0, accept_of(stores, tenant, Kind::Photo).await);
        accept(stores).await;
    }
    assert_eq!(listed(stores, tenant, Filter::default()).await, (newest_first, 3));
}

pub async fn a_list_holds_what_its_filter_asks_for(stores: &Stores) {
    let tenant = TenantId::new();
    let queued = accept_of(stores, tenant, Kind::Photo).await;
    let failed = accept_of(stores, tenant, Kind::Video).await;
    let lease = claim(stores, failed, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Failed(Failure::new(ProblemCode::MediaUnreadable, "damaged"))).await;
    let processing = accept_of(stores, tenant, Kind::Spoof).await;
    claim(stores, processing, "worker", LEASE).await;
    let succeeded = accept_of(stores, tenant, Kind::Spoof).await;
    let lease = claim(stores, succeeded, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    // Somebody else's are never among them.
    for kind in Kind::ALL {
        accept_in(stores, kind, Priority::Batch).await;
    }

    let state = |state| Filter { state: Some(state), ..Filter::default() };
    let kind = |kind| Filter { kind: Some(kind), ..Filter::default() };
    let cases = [
        (state(State::Queued), vec![queued]),
        (state(State::Processing), vec![processing]),
        (state(State::Succeeded), vec![succeeded]),
        (state(State::Failed), vec![failed]),
        (state(State::Canceled), vec![]),
        (kind(Kind::Photo), vec![queued]),
        (kind(Kind::Spoof), vec![succeeded, processing]),
        (Filter { kind: Some(Kind::Spoof), ..state(State::Succeeded) }, vec![succeeded]),
        (Filter { kind: Some(Kind::Spoof), ..state(State::Failed) }, vec![]),
        (Filter { kind: Some(Kind::Video), ..state(State::Failed) }, vec![failed]),
    ];
    for (filter, expected) in cases {
        assert_eq!(listed(stores, tenant, filter).await.0, expected, "{filter:?}");
    }
    let (first, last) = (queued.created_at(), succeeded.created_at());
    let after_all = Timestamp::from_millis(last.as_millis() + 1);
    let time = |from, until| Filter { from, until, ..Filter::default() };
    let all = vec![succeeded, processing, failed, queued];
    assert_eq!(listed(stores, tenant, time(Some(first), Some(after_all))).await.0, all);
    assert_eq!(listed(stores, tenant, time(None, Some(first))).await.0, []);
    assert_eq!(listed(stores, tenant, time(Some(after_all), None)).await.0, []);
}

pub async fn a_search_that_ends_early_goes_on_behind_it(stores: &Stores) {
    let tenant = TenantId::new();
    let oldest = accept_of(stores, tenant, Kind::Video).await;
    // One transaction each, and a thousand of them: enough at the same time to be quick.
    let others = (0..SCANNED).map(|_| accept_of(stores, tenant, Kind::Photo));
    futures::future::join_all(others).await;
    let videos = Filter { kind: Some(Kind::Video), ..Filter::default() };
    let first = list(stores, tenant, videos, None, 10).await;
    assert!(first.rows.is_empty() && first.next.is_some(), "{first:?}");
    assert_eq!(listed(stores, tenant, videos).await, (vec![oldest], 2));
}

pub async fn a_list_ends_where_its_rows_end(stores: &Stores) {
    let tenant = TenantId::new();
    let ids = [accept_of(stores, tenant, Kind::Photo).await, accept_of(stores, tenant, Kind::Photo).await];
    assert_eq!(list(stores, tenant, Filter::default(), None, 2).await.next, None);
    assert_eq!(list(stores, tenant, Filter::default(), None, 1).await.next, Some(ids[1]));
    let behind = list(stores, tenant, Filter::default(), Some(ids[0]), 2).await;
    assert!(behind.rows.is_empty() && behind.next.is_none());
}

pub async fn the_progress_of_many_is_seen_at_once(stores: &Stores) {
    let (queued, processing) = (accept(stores).await.id, accept(stores).await.id);
    claim(stores, processing, "worker", LEASE).await;
    let unknown = VerificationId::new();
    let mut progress =
        stores.overview.progress(&[queued, unknown, processing]).await.expect("their progress");
    progress.sort_by_key(|progress| progress.id);
    let expected = [
        Progress { id: queued, state: State::Queued, attempts: 0 },
        Progress { id: processing, state: State::Processing, attempts: 1 },
    ];
    assert_eq!(progress, expected);
    assert_eq!(stores.overview.progress(&[]).await.expect("none"), []);
}
