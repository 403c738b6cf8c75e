//! Who may call, and what becomes of the files of those who may not.

use std::time::Duration;

use countersign_shared::domain::{Actor, ApiKey, Scope, Timestamp};

use crate::client::{Connection, Part, get, head, post};
use crate::media::jpeg;
use crate::service::Service;

fn with_key(key: &str) -> [Part; 3] {
    [Part::file("id_card", &jpeg(200_000)), Part::file("photo", &jpeg(200_000)), Part::text("api_key", key)]
}

#[tokio::test]
async fn a_key_that_is_missing_wrong_malformed_or_expired_is_refused_and_nothing_is_kept() {
    let service = Service::working(&[]).await;
    let expired = service.add_key(Scope::ALL, Some(Timestamp::now().before(Duration::from_secs(1)))).await.0;
    for key in ["", "YOUR_API_KEY", ApiKey::generate().reveal(), &expired] {
        service.post("/v1.1/photoverify", &with_key(key)).await.expect_error(401, "INVALID_API_KEY");
    }
    service.post("/v1.1/photoverify", &with_key("")[..2]).await.expect_error(401, "INVALID_API_KEY");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let service = Service::working(&[]).await;
    let (key, id) = service.add_key(Scope::ALL, None).await;
    assert_eq!(service.post("/v1.1/photoverify", &with_key(&key)).await.status, 200);
    service.stores.keys.revoke_key(id, Actor::System).await.expect("revoked");
    service.post("/v1.1/photoverify", &with_key(&key)).await.expect_error(401, "INVALID_API_KEY");
}

#[tokio::test]
async fn a_key_without_the_scope_is_forbidden() {
    let service = Service::working(&[]).await;
    let (key, _) = service.add_key(&[Scope::VerifyRead], None).await;
    service.post("/v1.1/photoverify", &with_key(&key)).await.expect_error(403, "FORBIDDEN");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_wrong_key_in_a_header_is_refused_before_the_body_is_read() {
    let service = Service::working(&[]).await;
    let mut connection = Connection::open(service.address).await;
    let wrong = ApiKey::generate();
    let head = head("/v1.1/photoverify", &[("X-Api-Key", wrong.reveal())], 10_000_000);
    connection.send(head.as_bytes()).await.expect("the service reads");
    let response = connection.receive().await;
    response.expect_error(401, "INVALID_API_KEY");
    assert_eq!(response.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_wrong_key_in_the_form_is_refused_before_the_files_are_read() {
    let service = Service::working(&[]).await;
    let body = crate::client::form(&[Part::text("api_key", ApiKey::generate().reveal())]);
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/photoverify", &[], 10_000_000).as_bytes()).await.expect("read");
    connection.send(&body[..body.len() - 4]).await.expect("read");
    connection.send(b"\r\n").await.expect("read");
    let response = connection.receive().await;
    response.expect_error(401, "INVALID_API_KEY");
    assert_eq!(response.header("connection"), Some("close"));
}

#[tokio::test]
async fn a_valid_header_outranks_the_forms_key() {
    let service = Service::working(&[]).await;
    let response =
        post(service.address, "/v1.1/photoverify", &[("X-Api-Key", &service.key)], &with_key("wrong")).await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test]
async fn a_keys_use_is_noted() {
    let service = Service::working(&[]).await;
    service.post("/v1.1/photoverify", &with_key(&service.key)).await;
    service
        .eventually("the use is noted", || async {
            let keys = service.stores.keys.keys(None, None, 10).await.expect("keys");
            keys.iter().any(|key| key.last_used_at.is_some())
        })
        .await;
}

#[tokio::test]
async fn a_verification_is_readable_by_its_tenant_alone() {
    let service = Service::working(&[]).await;
    let response = service.post("/v1.1/photoverify", &with_key(&service.key)).await;
    let path = format!("/v2/verifications/{}", response.header("x-verification-id").expect("an id"));

    let own = get(service.address, &path, &[("X-Api-Key", &service.key)]).await;
    assert_eq!(own.status, 200, "{own:?}");
    let resource = own.json();
    assert_eq!(resource["state"], "succeeded");
    assert_eq!(resource["verdict"], "passed");
    assert!(resource["created_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{resource}");

    let stranger = service.tenant_named("stranger").await;
    let (key, _) = service.add_key_of(stranger, Scope::ALL, None).await;
    assert_eq!(get(service.address, &path, &[("X-Api-Key", &key)]).await.status, 404);
    assert_eq!(get(service.address, &path, &[]).await.status, 401);
    let (blind, _) = service.add_key(&[Scope::VerifyWrite], None).await;
    assert_eq!(get(service.address, &path, &[("X-Api-Key", &blind)]).await.status, 403);
}
