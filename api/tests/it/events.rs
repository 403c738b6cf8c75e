//! Following a verification by server-sent events.

use std::time::Duration;

use countersign_shared::domain::{Scope, VerificationId};
use countersign_shared::signal::Change;
use serde_json::Value;

use crate::client::{Connection, get, sent};
use crate::service::Service;

async fn follow(service: &Service, id: VerificationId, headers: &[(&str, &str)]) -> Connection {
    let own = [("X-Api-Key", service.key.as_str()), ("Connection", "close")];
    let headers: Vec<_> = own.iter().chain(headers).copied().collect();
    sent(service.address, "GET", &format!("/v2/verifications/{id}/events"), &headers).await
}

/// The events of a stream, each with its id and what it says.
fn events(stream: &str) -> Vec<(String, Value)> {
    let field = |event: &str, name: &str| {
        let line = event.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_default().to_owned()
    };
    let named = stream.split("\n\n").filter(|event| field(event, "event") == "state");
    named
        .map(|event| (field(event, "id"), serde_json::from_str(&field(event, "data")).expect("JSON")))
        .collect()
}

#[tokio::test]
async fn every_change_is_told_in_order_and_then_the_stream_ends() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    let mut stream = follow(&service, id, &[]).await;
    let mut told = stream.receive_until("\"queued\"").await;
    assert!(told.contains("content-type: text/event-stream\r\n") && told.contains("retry: "), "{told}");
    let lease = service.claim(id).await;
    service.signal.announce(id, Change::Progress).await;
    told += &stream.receive_until("\"processing\"").await;
    service.finish(&lease).await;
    service.signal.announce(id, Change::End).await;
    told += &stream.receive_until("\"succeeded\"").await;
    told += &stream.receive_rest().await;

    let events = events(&told);
    let ids: Vec<&str> = events.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3.end"]);
    for (_, resource) in &events {
        assert_eq!(resource["id"].as_str(), Some(id.to_string().as_str()));
        assert!(resource.get("report").is_none(), "{resource}");
    }
    assert_eq!(events[2].1["verdict"], "rejected");
    service.eventually("nobody listens", || async { service.signal.listened().is_empty() }).await;
}

#[tokio::test]
async fn a_change_that_no_signal_told_is_found() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    let mut stream = follow(&service, id, &[]).await;
    stream.receive_until("\"queued\"").await;
    let lease = service.claim(id).await;
    stream.receive_until("\"processing\"").await;
    service.finish(&lease).await;
    stream.receive_until("\"succeeded\"").await;
}

#[tokio::test]
async fn a_finished_verification_is_told_once_and_never_again() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    service.finish(&service.claim(id).await).await;
    for (seen, expected) in [(None, "1.end"), (Some("7"), "8.end"), (Some("nonsense"), "1.end")] {
        let headers: Vec<(&str, &str)> = seen.iter().map(|seen| ("Last-Event-ID", *seen)).collect();
        let (_, body) = follow(&service, id, &headers).await.receive_all().await;
        let events = events(&String::from_utf8(body).expect("UTF-8"));
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!((events[0].0.as_str(), &events[0].1["state"]), (expected, &"succeeded".into()));
    }
    let (head, _) = follow(&service, id, &[("Last-Event-ID", "8.end")]).await.receive_all().await;
    assert!(head.starts_with("HTTP/1.1 204 "), "{head}");
}

#[tokio::test]
async fn a_client_that_leaves_frees_everything() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    let mut stream = follow(&service, id, &[]).await;
    stream.receive_until("\"queued\"").await;
    assert_eq!(service.signal.listened(), [id]);
    drop(stream);
    service.eventually("nobody listens", || async { service.signal.listened().is_empty() }).await;
}

#[tokio::test]
async fn a_shutdown_ends_the_streams_at_once() {
    let mut service = Service::start(&[("SERVER__DRAIN", "20s")]).await;
    let id = service.accept().await;
    let mut stream = follow(&service, id, &[]).await;
    stream.receive_until("\"queued\"").await;
    service.shutdown.cancel();
    stream.receive_rest().await;
    let ended = tokio::time::timeout(Duration::from_secs(10), &mut service.running).await.expect("it ends");
    ended.expect("no panic").expect("no error");
}

#[tokio::test]
async fn only_its_tenant_follows_a_verification_and_with_the_scope() {
    let service = Service::start(&[]).await;
    let path = format!("/v2/verifications/{}/events", service.accept().await);
    let ask = async |key: &str, path: &str| get(service.address, path, &[("X-Api-Key", key)]).await;
    ask(&service.key_of_another_tenant().await, &path).await.expect_problem(404, "NOT_FOUND");
    let blind = service.add_key(&[Scope::VerifyWrite], None).await.0;
    ask(&blind, &path).await.expect_problem(403, "FORBIDDEN");
    ask(&service.key, "/v2/verifications/ver_x/events").await.expect_problem(404, "NOT_FOUND");
    assert_eq!(service.signal.listened(), []);
}
