//! The audit log: what every store must do.

use std::fmt;
use std::time::Duration;

use crate::domain::{Action, Actor, AuditEntry, AuditFilter, KeyId, TenantId, Timestamp, VerificationId};
use crate::store::Stores;

pub async fn the_audit_log_is_read_newest_first(stores: &Stores) {
    let entries = [append(stores, TenantId::new()).await, append(stores, TenantId::new()).await];
    let [first, second] = entries.clone();
    let read = async |before, limit| {
        stores.audit.entries(&AuditFilter::default(), before, limit).await.expect("entries")
    };
    assert_eq!(read(None, 10).await, [second.clone(), first.clone()]);
    assert_eq!(read(None, 1).await, std::slice::from_ref(&second));
    assert_eq!(read(Some(second.id), 10).await, [first]);
}

pub async fn the_audit_log_is_filtered(stores: &Stores) {
    let (tenant, other) = (TenantId::new(), TenantId::new());
    let own = append(stores, tenant).await;
    append(stores, other).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let between = Timestamp::now();
    let suspended = AuditEntry::new(Actor::System, Action::TenantSuspended, tenant, tenant);
    stores.audit.append(&suspended).await.expect("appended");
    let read = async |filter| stores.audit.entries(&filter, None, 10).await.expect("entries");
    let all = AuditFilter::default;
    let action = || Some("tenant.suspended".to_owned());
    assert_eq!(read(AuditFilter { tenant: Some(tenant), ..all() }).await, [suspended.clone(), own.clone()]);
    assert_eq!(read(AuditFilter { action: action(), ..all() }).await, std::slice::from_ref(&suspended));
    let both = AuditFilter { tenant: Some(other), action: action(), ..all() };
    assert_eq!(read(both).await, []);
    assert_eq!(read(AuditFilter { from: Some(between), ..all() }).await, std::slice::from_ref(&suspended));
    let early = AuditFilter { tenant: Some(tenant), until: Some(between), ..all() };
    assert_eq!(read(early).await, [own]);
    let never = AuditFilter { from: Some(between), until: Some(between), ..all() };
    assert_eq!(read(never).await, []);
}

/// The twin's name is taken, so neither it nor its entry is written.
pub async fn a_change_that_fails_leaves_no_entry(stores: &Stores) {
    stores.tenants.tenant_named("acme", Actor::System).await.expect("a tenant");
    let mut twin = stores.tenants.tenants(None, 1).await.expect("tenants").remove(0);
    twin.id = TenantId::new();
    assert!(stores.tenants.add_tenant(&twin, Actor::System).await.is_err());
    assert_eq!(audited(stores, twin.id).await, Vec::<String>::new());
}

/// What the log says was done to it, newest first.
pub(super) async fn audited(stores: &Stores, resource: impl fmt::Display) -> Vec<String> {
    let resource = resource.to_string();
    let entries = stores.audit.entries(&AuditFilter::default(), None, 1000).await.expect("entries");
    let about = entries.into_iter().filter(|entry| entry.resource.as_deref() == Some(resource.as_str()));
    about.map(|entry| entry.action).collect()
}

async fn append(stores: &Stores, tenant: TenantId) -> AuditEntry {
    let actor = Actor::Key(KeyId::new());
    let entry = AuditEntry::new(actor, Action::MediaErased, tenant, VerificationId::new()).with("files", 2);
    stores.audit.append(&entry).await.expect("appended");
    entry
}
