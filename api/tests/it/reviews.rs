//! A moderator's decision beside the machine's.

use countersign_shared::domain::{Scope, VerificationId};
use serde_json::{Value, json};

use crate::client::{Connection, Response, get};
use crate::service::Service;

pub(crate) async fn review(
    service: &Service,
    id: VerificationId,
    body: &str,
    headers: &[(&str, &str)],
) -> Response {
    let more: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut connection = Connection::open(service.address).await;
    let head = format!(
        "POST /v2/verifications/{id}/review HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n{}\r\n",
        body.len(),
        more.concat()
    );
    connection.send(&[head.as_bytes(), body.as_bytes()].concat()).await.expect("the service reads");
    connection.receive().await
}

async fn finished(service: &Service) -> VerificationId {
    let id = service.accept().await;
    service.finish(&service.claim(id).await).await;
    id
}

#[tokio::test]
async fn a_decision_is_shown_beside_the_machines_and_all_are_kept() {
    let service = Service::start(&[]).await;
    let id = finished(&service).await;
    let (key, key_id) = service.add_key(&[Scope::ReviewWrite], None).await;
    let read = async |path: &str| {
        get(service.address, &format!("/v2/verifications{path}"), &[("X-Api-Key", &service.key)]).await.json()
    };
    let before = read(&format!("/{id}")).await;
    assert_eq!((&before["review"], &before["verdict"]), (&Value::Null, &json!("rejected")));

    let headers = [("X-Api-Key", key.as_str())];
    let first = review(&service, id, r#"{"decision": "escalated"}"#, &headers).await;
    assert_eq!((first.status, &first.json()["reason"]), (201, &Value::Null));
    let body = r#"{"decision": "approved", "reason": " a twin, and known to us "}"#;
    let second = review(&service, id, body, &headers).await.json();
    assert_eq!(
        (&second["decision"], &second["reason"], &second["reviewer"]),
        (&json!("approved"), &json!("a twin, and known to us"), &json!(key_id))
    );
    assert!(second["at"].as_str().is_some_and(|time| time.ends_with('Z')), "{second}");

    let after = read(&format!("/{id}")).await;
    assert_eq!((&after["review"], &after["verdict"]), (&second, &json!("rejected")), "the machine's stays");
    assert_eq!(read("").await["data"][0]["review"], second);
    assert_eq!(read(&format!("/{id}/reviews")).await["data"], json!([second, first.json()]));
}

#[tokio::test]
async fn only_what_has_finished_can_be_reviewed() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    let headers = [("X-Api-Key", service.key.as_str())];
    let refused = review(&service, id, r#"{"decision": "approved"}"#, &headers).await;
    refused.expect_problem(409, "CONFLICT");
    assert!(refused.body.contains("queued"), "{}", refused.body);
}

#[tokio::test]
async fn a_decision_that_can_not_be_read_is_refused() {
    let service = Service::start(&[]).await;
    let id = finished(&service).await;
    let headers = [("X-Api-Key", service.key.as_str())];
    let long = format!(r#"{{"decision": "approved", "reason": "{}"}}"#, "x".repeat(1001));
    for (body, code) in [
        ("", "MISSING_FIELD"),
        ("{}", "MISSING_FIELD"),
        (r#"{"reason": "because"}"#, "MISSING_FIELD"),
        (r#"{"decision": "maybe"}"#, "INVALID_FIELD"),
        (r#"{"decision": "approved", "verdict": "passed"}"#, "INVALID_FIELD"),
        (r#"{"decision": "approved", "reason": 7}"#, "INVALID_FIELD"),
        (r#"{"decision": "approved", "reason": "\u0000"}"#, "INVALID_FIELD"),
        (&long, "INVALID_FIELD"),
        ("approved", "INVALID_FIELD"),
    ] {
        review(&service, id, body, &headers).await.expect_problem(400, code);
    }
    let path = format!("/v2/verifications/{id}/reviews");
    let kept = get(service.address, &path, &headers).await.json();
    assert_eq!(kept["data"], json!([]));
}

#[tokio::test]
async fn only_its_tenant_reviews_a_verification_and_with_the_scope() {
    let service = Service::start(&[]).await;
    let id = finished(&service).await;
    let body = r#"{"decision": "approved"}"#;
    let other = service.key_of_another_tenant().await;
    review(&service, id, body, &[("X-Api-Key", &other)]).await.expect_problem(404, "NOT_FOUND");
    let path = format!("/v2/verifications/{id}/reviews");
    get(service.address, &path, &[("X-Api-Key", &other)]).await.expect_problem(404, "NOT_FOUND");
    let writer = service.add_key(&[Scope::VerifyWrite, Scope::VerifyRead], None).await.0;
    review(&service, id, body, &[("X-Api-Key", &writer)]).await.expect_problem(403, "FORBIDDEN");
}
