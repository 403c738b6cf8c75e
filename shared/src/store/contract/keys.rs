//! Keys: what every store must do.

use std::time::Duration;

use super::{audited, is_conflict, is_not_found, later};
use crate::domain::{
    Actor, ApiKey, ApiKeyInfo, KeyChange, KeyId, KeyLimits, LimitsChange, Patch, RateLimit, Scope,
    TenantChange, TenantId, Timestamp,
};
use crate::store::Stores;

const RATE: RateLimit = RateLimit { per_minute: 60, burst: 5 };
const HOUR: Duration = Duration::from_hours(1);

pub async fn a_key_is_found_by_its_hash(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    add_key(stores, "other").await;
    let found = stores.keys.credential(&hash).await.expect("the key");
    assert_eq!((&found.key, found.suspended, found.limits), (&info, false, KeyLimits::default()));
    assert_eq!(stores.keys.key(info.id).await.expect("the key"), info);
    assert_eq!(audited(stores, info.id).await, ["key.created"]);
}

pub async fn a_hash_belongs_to_one_key(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    let twin = ApiKeyInfo { id: KeyId::new(), ..info };
    assert!(is_conflict(&stores.keys.add_key(&twin, &hash, Actor::System).await));
}

pub async fn a_key_belongs_to_a_tenant(stores: &Stores) {
    let (info, _) = add_key(stores, "acme").await;
    let lost = ApiKeyInfo { id: KeyId::new(), tenant: TenantId::new(), ..info };
    assert!(is_not_found(&stores.keys.add_key(&lost, &ApiKey::generate().hash(), Actor::System).await));
    assert_eq!(audited(stores, lost.id).await, Vec::<String>::new());
}

pub async fn keys_are_listed_newest_first_of_one_tenant_or_all(stores: &Stores) {
    let (first, _) = add_key(stores, "acme").await;
    let (other, _) = add_key(stores, "other").await;
    let (second, _) = add_key(stores, "acme").await;
    let list = async |tenant, before, limit| stores.keys.keys(tenant, before, limit).await.expect("keys");
    assert_eq!(list(None, None, 10).await, [second.clone(), other.clone(), first.clone()]);
    assert_eq!(list(None, None, 2).await, [second.clone(), other.clone()]);
    assert_eq!(list(Some(first.tenant), None, 10).await, [second.clone(), first.clone()]);
    assert_eq!(list(Some(first.tenant), Some(second.id), 10).await, [first]);
    assert_eq!(list(Some(TenantId::new()), None, 10).await, []);
}

pub async fn a_keys_limits_come_before_its_tenants(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    let limits = LimitsChange { rate_limit: Patch::Set(Some(RATE)), monthly_quota: Patch::Set(Some(100)) };
    let change = TenantChange { suspended: Some(true), limits };
    stores.tenants.change_tenant(info.tenant, change, Actor::System).await.expect("changed");
    let limits = LimitsChange { monthly_quota: Patch::Set(Some(7)), ..LimitsChange::default() };
    let change = KeyChange { limits, ..KeyChange::default() };
    stores.keys.change_key(info.id, change, Actor::System).await.expect("changed");
    let found = stores.keys.credential(&hash).await.expect("the key");
    assert_eq!(found.limits, KeyLimits { rate_limit: Some(RATE), monthly_quota: Some(7) });
    assert_eq!(found.key.limits, KeyLimits { rate_limit: None, monthly_quota: Some(7) });
    assert!(found.suspended);
}

pub async fn a_changed_key_is_kept_and_told(stores: &Stores) {
    let (info, _) = add_key(stores, "acme").await;
    let limits = LimitsChange { rate_limit: Patch::Set(Some(RATE)), ..LimitsChange::default() };
    let change = KeyChange { label: Some("till 2".to_owned()), limits };
    for _ in 0..2 {
        let changed = stores.keys.change_key(info.id, change.clone(), Actor::CommandLine).await;
        let changed = changed.expect("changed");
        assert_eq!((changed.label.as_str(), changed.limits.rate_limit), ("till 2", Some(RATE)));
        assert_eq!(stores.keys.key(info.id).await.expect("the key"), changed);
    }
    assert_eq!(audited(stores, info.id).await, ["key.changed", "key.created"], "the second changed nothing");
}

pub async fn a_revoked_key_keeps_its_first_revocation(stores: &Stores) {
    let (info, hash) = add_key(stores, "acme").await;
    let revoke = async || stores.keys.revoke_key(info.id, Actor::System).await.expect("revoked");
    revoke().await;
    let first = stores.keys.credential(&hash).await.expect("the key").key;
    assert!(!first.is_valid_at(later()) && first.revoked_at.is_some());
    tokio::time::sleep(Duration::from_millis(2)).await;
    revoke().await;
    assert_eq!(stores.keys.key(info.id).await.expect("the key"), first);
    assert_eq!(audited(stores, info.id).await, ["key.revoked", "key.created"]);
}

pub async fn a_rotated_key_has_a_successor_and_ends_soon(stores: &Stores) {
    let (info, old_hash) = add_key(stores, "acme").await;
    let hash = ApiKey::generate().hash();
    let before = Timestamp::now();
    let rotated = stores.keys.rotate_key(info.id, &hash, Duration::ZERO, Actor::System).await;
    let new = rotated.expect("rotated");
    assert_eq!(stores.keys.credential(&hash).await.expect("the new key").key, new);
    assert_eq!(new, ApiKeyInfo { id: new.id, created_at: new.created_at, ..info.clone() });
    let old = stores.keys.credential(&old_hash).await.expect("the old key").key;
    assert!(old.expires_at.is_some_and(|expiry| expiry >= before && expiry <= Timestamp::now()));
    assert_eq!(audited(stores, info.id).await, ["key.rotated", "key.created"]);
}

pub async fn a_key_that_is_not_valid_has_no_successor(stores: &Stores) {
    let (info, _) = add_key(stores, "acme").await;
    stores.keys.revoke_key(info.id, Actor::System).await.expect("revoked");
    let hash = ApiKey::generate().hash();
    assert!(is_conflict(&stores.keys.rotate_key(info.id, &hash, HOUR, Actor::System).await));
    assert!(is_not_found(&stores.keys.credential(&hash).await));
}

pub async fn a_keys_last_use_is_noted(stores: &Stores) {
    let (info, _) = add_key(stores, "acme").await;
    stores.keys.key_used(info.id).await.expect("noted");
    let used = stores.keys.key(info.id).await.expect("the key").last_used_at;
    assert!(used.is_some_and(|used| used >= info.created_at));
}

pub async fn an_unknown_key_is_not_found(stores: &Stores) {
    let (id, hash) = (KeyId::new(), ApiKey::generate().hash());
    assert!(is_not_found(&stores.keys.credential(&hash).await));
    assert!(is_not_found(&stores.keys.key(id).await));
    assert!(is_not_found(&stores.keys.revoke_key(id, Actor::System).await));
    assert!(is_not_found(&stores.keys.change_key(id, KeyChange::default(), Actor::System).await));
    assert!(is_not_found(&stores.keys.rotate_key(id, &hash, HOUR, Actor::System).await));
    assert!(is_not_found(&stores.keys.key_used(id).await));
}

async fn add_key(stores: &Stores, tenant_name: &str) -> (ApiKeyInfo, [u8; 32]) {
    let info = ApiKeyInfo {
        id: KeyId::new(),
        tenant: stores.tenants.tenant_named(tenant_name, Actor::System).await.expect("a tenant"),
        tenant_name: tenant_name.to_owned(),
        label: "front desk".to_owned(),
        scopes: vec![Scope::VerifyWrite, Scope::VerifyRead],
        created_at: Timestamp::now(),
        expires_at: Some(later()),
        revoked_at: None,
        last_used_at: None,
        limits: KeyLimits::default(),
    };
    let hash = ApiKey::generate().hash();
    stores.keys.add_key(&info, &hash, Actor::System).await.expect("added");
    (info, hash)
}
