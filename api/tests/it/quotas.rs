//! What was used, and when it is enough.

use countersign_shared::domain::{KeyId, KeyLimits, Scope};
use serde_json::{Value, json};

use crate::client::{Connection, Part, Response, get, head, post};
use crate::media::jpeg;
use crate::service::Service;

const PATH: &str = "/v2/verifications";

fn quota(count: u64) -> KeyLimits {
    KeyLimits { rate_limit: None, monthly_quota: Some(count) }
}

async fn submit(service: &Service, key: &str) -> Response {
    let parts = [Part::text("kind", "spoof"), Part::file("photo", &jpeg(2000))];
    post(service.address, PATH, &[("X-Api-Key", key)], &parts).await
}

async fn usage(service: &Service, key: &str, query: &str) -> Value {
    let response = get(service.address, &format!("/v2/usage{query}"), &[("X-Api-Key", key)]).await;
    assert_eq!(response.status, 200, "{response:?}");
    response.json()
}

fn line(key: KeyId, spoof: u64) -> Value {
    json!({"key": key, "photo": 0, "video": 0, "spoof": spoof})
}

#[tokio::test]
async fn usage_is_told_by_key_and_kind_to_its_tenant_alone() {
    let service = Service::start(&[]).await;
    let (first, first_id) = service.add_key(Scope::ALL, None).await;
    let (second, second_id) = service.add_key(Scope::ALL, None).await;
    for key in [&first, &first, &second] {
        assert_eq!(submit(&service, key).await.status, 202);
    }
    let mut lines = [line(first_id, 2), line(second_id, 1)];
    lines.sort_by_key(|line| line["key"].as_str().map(str::to_owned));
    for _ in 0..2 {
        let used = usage(&service, &first, "").await;
        assert_eq!(used["total"], json!({"photo": 0, "video": 0, "spoof": 3}));
        assert_eq!(used["by_key"], json!(lines));
        assert_eq!(
            usage(&service, &first, &format!("?month={}", used["month"].as_str().expect("a month"))).await,
            used
        );
        // Counted or not yet.
        service.stores.usage.fold_usage(2).await.expect("folded");
    }
    assert_eq!(usage(&service, &first, "?month=2001-01").await["by_key"], json!([]));
    let stranger = service.tenant_named("stranger").await;
    let (other, _) = service.add_key_of(stranger, Scope::ALL, None).await;
    assert_eq!(usage(&service, &other, "").await["by_key"], json!([]));
    for wrong in ["?month=2026-13", "?month=", "?week=1"] {
        let response = get(service.address, &format!("/v2/usage{wrong}"), &[("X-Api-Key", &first)]).await;
        response.expect_problem(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn a_key_whose_quota_is_used_up_is_refused_before_the_body_is_read() {
    let service = Service::start(&[]).await;
    let (key, _) = service.add_limited_key(service.tenant, Scope::ALL, None, quota(2)).await;
    for expected in [202, 202, 429] {
        assert_eq!(submit(&service, &key).await.status, expected);
    }
    let mut connection = Connection::open(service.address).await;
    let head = head(PATH, &[("X-Api-Key", &key)], 10_000_000);
    connection.send(head.as_bytes()).await.expect("the service reads");
    let refused = connection.receive().await;
    refused.expect_problem(429, "QUOTA_EXCEEDED");
    let wait: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((1..=31 * 24 * 60 * 60).contains(&wait), "until the month ends: {wait}");
    let reading = get(service.address, PATH, &[("X-Api-Key", &key)]).await;
    assert_eq!(reading.status, 200, "what there is can be read");
    assert_eq!(submit(&service, &service.key).await.status, 202, "another key has a quota of its own");
}

#[tokio::test]
async fn an_old_client_whose_quota_is_used_up_is_refused_and_nothing_is_kept() {
    let service = Service::working(&[]).await;
    let (key, _) = service.add_limited_key(service.tenant, Scope::ALL, None, quota(0)).await;
    let parts = [Part::file("photo", &jpeg(2000)), Part::text("api_key", &key)];
    service.post("/v1.1/spoofdetect", &parts).await.expect_error(429, "QUOTA_EXCEEDED");
    service.keeps_nothing().await;
}
