//! Tenants: what every store must do.

use super::{audited, is_conflict, is_not_found};
use crate::domain::{
    Actor, KeyLimits, LimitsChange, Patch, RateLimit, Tenant, TenantChange, TenantId, Timestamp,
};
use crate::store::Stores;

pub async fn a_tenant_is_made_once(stores: &Stores) {
    let named = async |name| stores.tenants.tenant_named(name, Actor::System).await.expect("a tenant");
    let first = named("acme").await;
    assert_eq!(named("acme").await, first);
    assert_ne!(named("other").await, first);
    assert_eq!(audited(stores, first).await, ["tenant.created"]);
}

pub async fn a_tenants_name_is_its_own(stores: &Stores) {
    let tenant = add(stores, "acme").await;
    assert_eq!(stores.tenants.tenant(tenant.id).await.expect("the tenant"), tenant);
    let twin = Tenant { id: TenantId::new(), ..tenant };
    assert!(is_conflict(&stores.tenants.add_tenant(&twin, Actor::System).await));
    assert_eq!(audited(stores, twin.id).await, Vec::<String>::new());
}

pub async fn tenants_are_listed_newest_first(stores: &Stores) {
    let (first, second) = (add(stores, "first").await, add(stores, "second").await);
    let list = async |before, limit| stores.tenants.tenants(before, limit).await.expect("tenants");
    assert_eq!(list(None, 10).await, [second.clone(), first.clone()]);
    assert_eq!(list(None, 1).await, std::slice::from_ref(&second));
    assert_eq!(list(Some(second.id), 10).await, [first]);
}

pub async fn a_suspension_and_new_limits_are_kept_and_told(stores: &Stores) {
    let tenant = add(stores, "acme").await;
    let change = async |change| {
        let changed = stores.tenants.change_tenant(tenant.id, change, Actor::CommandLine).await;
        let changed = changed.expect("changed");
        assert_eq!(stores.tenants.tenant(tenant.id).await.expect("the tenant"), changed);
        changed
    };
    let suspend = TenantChange { suspended: Some(true), ..TenantChange::default() };
    let suspended = change(suspend).await;
    assert!(suspended.suspended_at.is_some());
    assert_eq!(change(suspend).await, suspended, "it has been suspended since then");
    let rate_limit = RateLimit { per_minute: 6, burst: 2 };
    let limits = LimitsChange { rate_limit: Patch::Set(Some(rate_limit)), monthly_quota: Patch::Set(None) };
    let resumed = change(TenantChange { suspended: Some(false), limits }).await;
    assert_eq!(resumed.suspended_at, None);
    assert_eq!(resumed.limits, KeyLimits { rate_limit: Some(rate_limit), monthly_quota: None });
    let told = audited(stores, tenant.id).await;
    assert_eq!(told, ["tenant.changed", "tenant.resumed", "tenant.suspended", "tenant.created"]);
}

pub async fn an_unknown_tenant_is_not_found(stores: &Stores) {
    let id = TenantId::new();
    assert!(is_not_found(&stores.tenants.tenant(id).await));
    let change = TenantChange::default();
    assert!(is_not_found(&stores.tenants.change_tenant(id, change, Actor::System).await));
}

async fn add(stores: &Stores, name: &str) -> Tenant {
    let tenant = Tenant {
        id: TenantId::new(),
        name: name.to_owned(),
        created_at: Timestamp::now(),
        suspended_at: None,
        limits: KeyLimits { rate_limit: None, monthly_quota: Some(1000) },
    };
    stores.tenants.add_tenant(&tenant, Actor::System).await.expect("added");
    tenant
}
