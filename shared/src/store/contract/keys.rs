//! Keys and tenants: what every store must do.

use std::time::Duration;

use super::{is_conflict, is_not_found, later};
use crate::domain::{ApiKey, ApiKeyInfo, KeyId, Scope, Timestamp};
use crate::store::Stores;

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
