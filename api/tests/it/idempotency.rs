//! Requests that are sent twice, one after the other and at the same time.

use std::sync::Arc;
use std::time::Duration;

use countersign_shared::domain::{Reservation, Scope, State};
use countersign_shared::signal::MemorySignal;
use countersign_shared::store::Reserved;
use futures::future::join_all;

use crate::client::{Connection, Part, Response, form, get, head, post};
use crate::media::jpeg;
use crate::service::Service;

const PATH: &str = "/v2/verifications";
const KEY: &str = "order-7";

fn parts() -> Vec<Part> {
    vec![
        Part::text("kind", "spoof"),
        Part::text("metadata", r#"{"b": 1, "a": 2.50}"#),
        // Half of it is more than an upload holds in memory, and so is seen on disk.
        Part::file("photo", &jpeg(400_000)),
    ]
}

async fn submit(service: &Service, parts: &[Part], headers: &[(&str, &str)]) -> Response {
    let headers: Vec<_> = [("X-Api-Key", service.key.as_str()), ("Idempotency-Key", KEY)]
        .iter()
        .chain(headers)
        .copied()
        .collect();
    post(service.address, PATH, &headers, parts).await
}

/// A request whose last bytes are still missing, and they.
async fn half(service: &Service, parts: &[Part]) -> (Connection, Vec<u8>) {
    let mut body = form(parts);
    let rest = body.split_off(body.len() / 2);
    let headers = [("X-Api-Key", service.key.as_str()), ("Idempotency-Key", KEY)];
    let mut connection = Connection::open(service.address).await;
    let head = head(PATH, &headers, body.len() + rest.len());
    connection.send(head.as_bytes()).await.expect("read");
    connection.send(&body).await.expect("read");
    service.eventually("the upload has begun", || async { !service.files().is_empty() }).await;
    (connection, rest)
}

async fn verifications(service: &Service) -> usize {
    let list = get(service.address, PATH, &[("X-Api-Key", &service.key)]).await;
    list.json()["data"].as_array().expect("a list").len()
}

#[track_caller]
fn assert_same(first: &Response, second: &Response) {
    assert_eq!((first.status, second.status), (202, 202), "{first:?} {second:?}");
    assert_eq!(first.body, second.body);
    for header in ["location", "x-verification-id", "content-type"] {
        assert_eq!(first.header(header), second.header(header), "{header}");
    }
}

fn is_replayed(response: &Response) -> bool {
    response.header("idempotent-replayed") == Some("true")
}

#[tokio::test]
async fn a_request_that_is_sent_again_gets_the_first_answer_byte_by_byte() {
    let service = Service::start(&[]).await;
    let first = submit(&service, &parts(), &[]).await;
    assert!(!is_replayed(&first));
    let id = first.header("x-verification-id").expect("an id").to_owned();
    let resource = get(service.address, &format!("{PATH}/{id}"), &[("X-Api-Key", &service.key)]).await;
    assert_eq!(first.json(), resource.json(), "the answer says what the row says");
    service.stores.verifications.cancel(service.tenant, id.parse().expect("an id")).await.expect("canceled");

    let mut other_order = parts();
    other_order.reverse();
    other_order.push(Part::text("unknown", "ignored"));
    for again in [parts(), other_order] {
        let second = submit(&service, &again, &[]).await;
        assert_same(&first, &second);
        assert!(is_replayed(&second));
    }
    assert_eq!(verifications(&service).await, 1);
    service.eventually("the duplicates' files are gone", || async { service.files().len() == 1 }).await;
}

#[tokio::test]
async fn the_same_key_with_another_body_is_a_conflict() {
    let service = Service::start(&[]).await;
    submit(&service, &parts(), &[]).await;
    let mut other_photo = parts();
    other_photo[2] = Part::file("photo", &jpeg(200_001));
    let mut other_metadata = parts();
    other_metadata[1] = Part::text("metadata", r#"{"a": 1}"#);
    let more = [parts(), vec![Part::text("lane", "batch")]].concat();
    for other in [other_photo, other_metadata, more] {
        let refused = submit(&service, &other, &[]).await;
        refused.expect_problem(409, "CONFLICT");
        assert!(refused.json()["detail"].as_str().is_some_and(|detail| detail.contains("another body")));
        assert_eq!(refused.header("retry-after"), None, "it will never succeed");
    }
    assert_eq!(verifications(&service).await, 1);
    service.eventually("the others' files are gone", || async { service.files().len() == 1 }).await;
}

#[tokio::test]
async fn fifty_duplicates_at_once_over_two_front_ends_are_one_verification() {
    let services = Service::pair([Arc::new(MemorySignal::new()), Arc::new(MemorySignal::new())]).await;
    let parts = parts();
    let requests = (0..50).map(|number| submit(&services[number % 2], &parts, &[]));
    let answers = join_all(requests).await;
    for answer in &answers {
        assert_same(&answers[0], answer);
    }
    assert_eq!(answers.iter().filter(|answer| !is_replayed(answer)).count(), 1);
    assert_eq!(verifications(&services[0]).await, 1);
    services[0]
        .eventually("the duplicates' files are gone", || async { services[0].files().len() == 1 })
        .await;
}

#[tokio::test]
async fn another_tenants_key_is_another_key() {
    let service = Service::start(&[]).await;
    let tenant = service.tenant_named("another").await;
    let other = service.add_key_of(tenant, Scope::ALL, None).await.0;
    let first = submit(&service, &parts(), &[]).await;
    let headers = [("X-Api-Key", other.as_str()), ("Idempotency-Key", KEY)];
    let second = post(service.address, PATH, &headers, &parts()).await;
    assert_eq!((first.status, second.status), (202, 202));
    assert!(!is_replayed(&second));
    assert_ne!(first.header("x-verification-id"), second.header("x-verification-id"));
}

#[tokio::test]
async fn a_key_that_is_none_is_refused_before_the_body_is_read() {
    let service = Service::start(&[]).await;
    let long = "k".repeat(256);
    for key in ["", "a b", "ü", long.as_str()] {
        let mut connection = Connection::open(service.address).await;
        let headers = [("X-Api-Key", service.key.as_str()), ("Idempotency-Key", key)];
        connection.send(head(PATH, &headers, 5_000_000).as_bytes()).await.expect("read");
        connection.receive().await.expect_problem(400, "INVALID_FIELD");
    }
    submit(&service, &parts(), &[("Idempotency-Key", "b")]).await.expect_problem(400, "INVALID_FIELD");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_request_that_is_refused_frees_its_key() {
    let service = Service::start(&[]).await;
    let mut wrong = parts();
    wrong[0] = Part::text("kind", "face");
    submit(&service, &wrong, &[]).await.expect_problem(400, "INVALID_FIELD");
    service.keeps_nothing().await;
    let right = submit(&service, &parts(), &[]).await;
    assert_eq!((right.status, is_replayed(&right)), (202, false));
}

#[tokio::test]
async fn a_duplicate_waits_for_the_upload_of_the_first() {
    let service = Service::start(&[]).await;
    let (mut first, rest) = half(&service, &parts()).await;
    let again = parts();
    let (first, second) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            first.send(&rest).await.expect("read");
            first.receive().await
        },
        submit(&service, &again, &[])
    );
    assert_same(&first, &second);
    assert!(!is_replayed(&first) && is_replayed(&second));
}

#[tokio::test]
async fn a_duplicate_with_another_body_is_told_so_when_the_first_is_accepted() {
    let service = Service::start(&[]).await;
    let (mut first, rest) = half(&service, &parts()).await;
    let other = [parts(), vec![Part::text("lane", "batch")]].concat();
    let (first, second) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            first.send(&rest).await.expect("read");
            first.receive().await
        },
        submit(&service, &other, &[])
    );
    assert_eq!(first.status, 202);
    second.expect_problem(409, "CONFLICT");
}

#[tokio::test]
async fn a_duplicate_takes_the_place_of_a_first_that_vanishes() {
    let service = Service::start(&[]).await;
    let (first, _) = half(&service, &parts()).await;
    let again = parts();
    let (second, ()) = tokio::join!(submit(&service, &again, &[]), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        drop(first);
    });
    assert_eq!((second.status, is_replayed(&second)), (202, false));
    assert_eq!(verifications(&service).await, 1);
}

#[tokio::test]
async fn a_duplicate_that_can_not_wait_any_longer_may_come_again() {
    let mut service = Service::start(&[("SERVER__DRAIN", "1s")]).await;
    let (_first, _) = half(&service, &parts()).await;
    let again = parts();
    let shutdown = service.shutdown.clone();
    let (second, ()) = tokio::join!(submit(&service, &again, &[]), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        shutdown.cancel();
    });
    second.expect_problem(409, "CONFLICT");
    assert_eq!(second.header("retry-after"), Some("5"));
    let ended = tokio::time::timeout(Duration::from_secs(15), &mut service.running).await.expect("it ends");
    ended.expect("no panic").expect("no error");
}

/// As after a kill of a front end between reservation and acceptance: nobody releases the key.
#[tokio::test]
async fn a_key_whose_front_end_was_killed_is_free_after_its_lease() {
    let service = Service::start(&[]).await;
    let killed = Reservation::new(service.tenant, &KEY.parse().expect("a key"));
    let lease = Duration::from_millis(800);
    let held = service.stores.idempotency.reserve(&killed, lease).await.expect("an answer");
    assert!(matches!(held, Reserved::Held(_)));
    let begun = std::time::Instant::now();
    let answer = submit(&service, &parts(), &[]).await;
    assert_eq!((answer.status, is_replayed(&answer)), (202, false));
    assert!(begun.elapsed() >= lease / 2, "it did not wait for the lease");
}

#[tokio::test]
async fn a_retry_after_the_front_end_was_killed_with_its_answer_gets_the_same_verification() {
    let [first, second] = Service::pair([Arc::new(MemorySignal::new()), Arc::new(MemorySignal::new())]).await;
    let (mut connection, rest) = half(&first, &parts()).await;
    connection.send(&rest).await.expect("read");
    let accepted = first.accepted().await;
    first.running.abort();
    drop(connection);
    let retry = submit(&second, &parts(), &[]).await;
    assert_eq!((retry.status, is_replayed(&retry)), (202, true));
    assert_eq!(retry.header("x-verification-id"), Some(accepted.to_string().as_str()));
    assert_eq!(verifications(&second).await, 1);
}

#[tokio::test]
async fn a_client_that_prefers_to_wait_gets_the_result_from_a_replay_too() {
    let service = Service::working(&[]).await;
    let waits = [("Prefer", "wait=30")];
    let first = submit(&service, &parts(), &waits).await;
    assert_eq!((first.status, first.json()["state"].as_str()), (200, Some("succeeded")));
    let id: countersign_shared::domain::VerificationId =
        first.header("x-verification-id").expect("an id").parse().expect("an id");
    assert_eq!(service.verification(id).await.state, State::Succeeded);

    let waited = submit(&service, &parts(), &waits).await;
    assert_eq!((waited.status, &waited.body), (200, &first.body));
    assert!(is_replayed(&waited));
    assert_eq!(waited.header("preference-applied"), Some("wait=30"));

    let at_once = submit(&service, &parts(), &[]).await;
    assert_eq!((at_once.status, at_once.json()["state"].as_str()), (202, Some("queued")));
    assert!(is_replayed(&at_once));
}
