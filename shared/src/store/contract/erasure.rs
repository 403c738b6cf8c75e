//! Erasure: what every store must do.

use super::{
    LEASE, accept, audited, claim, finish, is_conflict, is_not_found, later, outbox, read, reoffer_queued,
    report,
};
use crate::domain::{Action, Actor, AuditFilter, KeyId, NewVerification, State, TenantId};
use crate::store::{Claim, Outcome, Reoffered, Stores};

pub async fn an_erased_verification_is_gone_with_everything_about_it(stores: &Stores) {
    let (new, kept) = (accept(stores).await, accept(stores).await);
    let actor = Actor::Key(KeyId::new());
    stores.erasures.erase(new.tenant, new.id, actor).await.expect("erased");
    assert!(is_not_found(&stores.verifications.verification(new.tenant, new.id).await));
    assert!(is_not_found(&stores.erasures.erase(new.tenant, new.id, actor).await), "it is gone");
    let offered: Vec<_> = outbox(stores).await.into_iter().map(|message| message.verification_id).collect();
    assert_eq!(offered, [kept.id]);
    let claim = stores.verifications.claim(new.id, "worker", LEASE).await.expect("an answer");
    assert!(matches!(claim, Claim::Gone), "{claim:?}");
    assert_eq!(reoffer_queued(stores).await, Reoffered { offered: 1, exhausted: vec![] });
    assert_eq!(read(stores, &kept).await.state, State::Queued);

    let filter = AuditFilter { tenant: Some(new.tenant), ..AuditFilter::default() };
    let entries = stores.audit.entries(&filter, None, 10).await.expect("entries");
    let [tombstone] = &entries[..] else { panic!("{entries:?}") };
    assert_eq!(tombstone.action, Action::VerificationErased.name());
    assert_eq!((tombstone.actor, tombstone.resource.as_deref()), (actor, Some(new.id.to_string().as_str())));
    assert_eq!(
        (&tombstone.details["kind"], &tombstone.details["state"]),
        (&"photo".into(), &"queued".into())
    );
    let mut members: Vec<&str> = tombstone.details.keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["attempts", "created_at", "finished_at", "kind", "started_at", "state"]);
}

pub async fn an_erased_verification_can_not_be_finished(stores: &Stores) {
    let new = accept(stores).await;
    let lease = claim(stores, new.id, "worker", LEASE).await;
    stores.erasures.erase(new.tenant, new.id, Actor::System).await.expect("erased");
    assert!(is_conflict(&stores.verifications.renew(&lease, LEASE).await));
    for outcome in [Outcome::Succeeded(Box::new(report())), Outcome::GivenBack] {
        assert!(is_conflict(&stores.verifications.finish(&lease, &outcome).await), "{outcome:?}");
    }
    assert!(is_not_found(&stores.verifications.verification(new.tenant, new.id).await));
    let finished = accept(stores).await;
    let lease = claim(stores, finished.id, "worker", LEASE).await;
    finish(stores, &lease, Outcome::Succeeded(Box::new(report()))).await;
    stores.erasures.erase(finished.tenant, finished.id, Actor::System).await.expect("erased");
    assert!(is_not_found(&stores.verifications.verification(finished.tenant, finished.id).await));
    assert_eq!(stores.upkeep.media_due(later(), 10).await.expect("rows"), []);
}

pub async fn another_tenant_erases_nothing(stores: &Stores) {
    let new = accept(stores).await;
    assert!(is_not_found(&stores.erasures.erase(TenantId::new(), new.id, Actor::System).await));
    assert_eq!(read(stores, &new).await.state, State::Queued);
    assert_eq!(outbox(stores).await.len(), 1);
    assert_eq!(audited(stores, new.id).await, Vec::<String>::new());
    assert_eq!(stores.erasures.media_to_erase(10).await.expect("ids"), []);
}

pub async fn media_are_to_be_erased_until_they_are(stores: &Stores) {
    let (first, second) = (erased(stores).await, erased(stores).await);
    assert_eq!(stores.erasures.media_to_erase(1).await.expect("ids").len(), 1);
    let mut waiting = stores.erasures.media_to_erase(10).await.expect("ids");
    waiting.sort();
    assert_eq!(waiting, [first.id, second.id]);
    stores.erasures.media_erased(first.id).await.expect("noted");
    assert!(is_not_found(&stores.erasures.media_erased(first.id).await), "it has been noted");
    assert_eq!(stores.erasures.media_to_erase(10).await.expect("ids"), [second.id]);
    assert_eq!(audited(stores, first.id).await, ["media.erased", "verification.erased"]);
    assert_eq!(audited(stores, second.id).await, ["verification.erased"]);
}

async fn erased(stores: &Stores) -> NewVerification {
    let new = accept(stores).await;
    stores.erasures.erase(new.tenant, new.id, Actor::System).await.expect("erased");
    new
}
