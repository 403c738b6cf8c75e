//! Usage: what every store must do.

use super::new_verification;
use crate::domain::{KeyId, Kind, Month, NewVerification, Priority, TenantId, Timestamp, Usage};
use crate::store::Stores;

pub async fn an_accepted_verification_is_counted_once(stores: &Stores) {
    let (tenant, key) = (TenantId::new(), KeyId::new());
    let new = NewVerification { tenant, key, ..new_verification(Kind::Photo, Priority::Batch) };
    stores.verifications.accept(&new).await.expect("accepted");
    assert!(stores.verifications.accept(&new).await.is_err());
    let month = Month::of(Timestamp::now());
    let usage = stores.usage.usage(tenant, month, 10).await.expect("usage");
    assert_eq!(usage, [Usage { key, kind: Kind::Photo, count: 1 }]);
    assert_eq!(stores.usage.used(tenant, key, month).await.expect("a count"), 1);
    assert_eq!(stores.usage.used(tenant, KeyId::new(), month).await.expect("a count"), 0);
    assert_eq!(stores.usage.usage(TenantId::new(), month, 10).await.expect("usage"), []);
    let past: Month = "2001-01".parse().expect("a month");
    assert_eq!(stores.usage.usage(tenant, past, 10).await.expect("usage"), []);
}

pub async fn usage_is_the_same_before_and_after_folding(stores: &Stores) {
    let tenant = TenantId::new();
    let mut keys = [KeyId::new(), KeyId::new()];
    keys.sort();
    accept(stores, tenant, keys[0], Kind::Photo, 3).await;
    accept(stores, tenant, keys[0], Kind::Spoof, 1).await;
    accept(stores, tenant, keys[1], Kind::Video, 2).await;
    let month = Month::of(Timestamp::now());
    let expected = [(keys[0], Kind::Photo, 3), (keys[0], Kind::Spoof, 1), (keys[1], Kind::Video, 2)]
        .map(|(key, kind, count)| Usage { key, kind, count });
    for folded in [0, 4, 2, 0] {
        if folded > 0 {
            assert_eq!(stores.usage.fold_usage(4).await.expect("folded"), folded);
        }
        assert_eq!(stores.usage.usage(tenant, month, 10).await.expect("usage"), expected);
        assert_eq!(stores.usage.used(tenant, keys[0], month).await.expect("a count"), 4);
    }
    assert_eq!(stores.usage.fold_usage(4).await.expect("folded"), 0);
    accept(stores, tenant, keys[1], Kind::Video, 1).await;
    assert_eq!(stores.usage.used(tenant, keys[1], month).await.expect("a count"), 3);
    assert_eq!(stores.usage.usage(tenant, month, 1).await.expect("usage").len(), 1);
}

pub async fn folders_at_once_count_each_once(stores: &Stores) {
    const ROWS: usize = 60;
    let tenant = TenantId::new();
    let keys = [KeyId::new(), KeyId::new(), KeyId::new()];
    for key in keys {
        accept(stores, tenant, key, Kind::Photo, ROWS / 3).await;
    }
    let fold = async || {
        let mut sum = 0;
        // Rows that another has in its hands are not there.
        for _ in 0..30 {
            sum += stores.usage.fold_usage(7).await.expect("folded");
        }
        sum
    };
    let (first, second, third) = tokio::join!(fold(), fold(), fold());
    assert_eq!(first + second + third, ROWS as u64);
    let month = Month::of(Timestamp::now());
    for key in keys {
        assert_eq!(stores.usage.used(tenant, key, month).await.expect("a count"), ROWS as u64 / 3);
    }
}

async fn accept(stores: &Stores, tenant: TenantId, key: KeyId, kind: Kind, count: usize) {
    for _ in 0..count {
        let new = NewVerification { tenant, key, ..new_verification(kind, Priority::Batch) };
        stores.verifications.accept(&new).await.expect("accepted");
    }
}
