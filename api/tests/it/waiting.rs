//! Waiting for results, and no longer waiting.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_shared::domain::{Failure, ProblemCode, State, VerificationId};
use countersign_shared::signal::{Change, RedisSignal, Signal};
use countersign_shared::store::{Claim, Outcome};

use crate::client::{Connection, Part, form, get, head, sent};
use crate::media::jpeg;
use crate::reports::sample;
use crate::service::Service;

fn parts(service: &Service) -> [Part; 3] {
    [service.key_part(), Part::file("id_card", &jpeg(5000)), Part::file("photo", &jpeg(5000))]
}

/// A complete request whose answer nobody has read yet.
async fn send(service: &Service) -> Connection {
    let body = form(&parts(service));
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/photoverify", &[], body.len()).as_bytes()).await.expect("read");
    connection.send(&body).await.expect("read");
    connection
}

#[tokio::test]
async fn a_call_that_waits_too_long_is_told_where_the_result_will_be() {
    let service = Service::start(&[("V1__WAIT", "200ms")]).await;
    let response = service.post("/v1.1/photoverify", &parts(&service)).await;
    response.expect_error(504, "TIMED_OUT");
    let id = response.header("x-verification-id").expect("an id").to_owned();
    let location = response.header("location").expect("a location").to_owned();
    assert_eq!(location, format!("/v2/verifications/{id}"));
    assert_eq!(response.header("retry-after"), Some("5"));

    let key = [("X-Api-Key", service.key.as_str())];
    assert_eq!(get(service.address, &location, &key).await.json()["state"], "queued");
    service.respond(|verification| Outcome::Succeeded(Box::new(sample(verification.request.kind))));
    service.becomes(id.parse().expect("an id"), State::Succeeded).await;
    let resource = get(service.address, &location, &key).await.json();
    assert_eq!((&resource["verdict"], &resource["kind"]), (&"passed".into(), &"photo".into()));
    assert_eq!(resource["checks"].as_array().map(Vec::len), Some(5));
}

#[tokio::test]
async fn a_client_that_vanishes_from_the_queue_costs_no_work() {
    let service = Service::start(&[]).await;
    let connection = send(&service).await;
    let id = service.accepted().await;
    assert_eq!(service.verification(id).await.state, State::Queued);
    drop(connection);
    service.becomes(id, State::Canceled).await;
}

#[tokio::test]
async fn a_client_that_vanishes_cancels_its_own_verification_alone() {
    let service = Service::start(&[]).await;
    let mut stays = send(&service).await;
    let first = service.accepted().await;
    let leaves = send(&service).await;
    service
        .eventually("both are queued", || async {
            let lane = countersign_shared::domain::Lane::PhotoInteractive;
            service.stores.verifications.backlog(lane, service.tenant, 10).await.expect("a count").queued == 2
        })
        .await;
    drop(leaves);
    service
        .eventually("one is left", || async {
            let lane = countersign_shared::domain::Lane::PhotoInteractive;
            service.stores.verifications.backlog(lane, service.tenant, 10).await.expect("a count").queued == 1
        })
        .await;
    service.respond(|verification| Outcome::Succeeded(Box::new(sample(verification.request.kind))));
    assert_eq!(stays.receive().await.status, 200);
    assert_eq!(service.verification(first).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_client_that_vanishes_while_a_worker_has_its_job_changes_nothing() {
    let service = Service::start(&[]).await;
    let connection = send(&service).await;
    let id = service.accepted().await;
    let claim =
        service.stores.verifications.claim(id, "worker", Duration::from_secs(30)).await.expect("a claim");
    let Claim::Claimed(lease, verification) = claim else { panic!("it was queued") };
    drop(connection);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(service.verification(id).await.state, State::Processing);
    let outcome = Outcome::Succeeded(Box::new(sample(verification.request.kind)));
    service.stores.verifications.finish(&lease, &outcome).await.expect("the lease holds");
    assert_eq!(service.verification(id).await.state, State::Succeeded);
}

#[tokio::test]
async fn a_full_queue_turns_calls_away_before_their_body_is_read() {
    let service =
        Service::start(&[("LANES__PHOTO_INTERACTIVE", "{ max_depth = 1 }"), ("V1__WAIT", "100ms")]).await;
    service.post("/v1.1/photoverify", &parts(&service)).await.expect_error(504, "TIMED_OUT");

    let mut connection = Connection::open(service.address).await;
    let key = [("X-Api-Key", service.key.as_str())];
    connection.send(head("/v1.1/photoverify", &key, 5_000_000).as_bytes()).await.expect("read");
    let response = connection.receive().await;
    response.expect_error(503, "QUEUE_FULL");
    assert_eq!((response.header("retry-after"), response.header("connection")), (Some("5"), Some("close")));
    assert_eq!(service.files().len(), 2, "the first call's files and no others");
}

#[tokio::test]
async fn a_lost_signal_costs_seconds_and_not_the_answer() {
    let service = Service::start(&[]).await;
    let mut connection = send(&service).await;
    let id = service.accepted().await;
    let claim =
        service.stores.verifications.claim(id, "worker", Duration::from_secs(30)).await.expect("a claim");
    let Claim::Claimed(lease, verification) = claim else { panic!("it was queued") };
    let outcome = Outcome::Succeeded(Box::new(sample(verification.request.kind)));
    service.stores.verifications.finish(&lease, &outcome).await.expect("the lease holds");
    // Nobody announces it.
    assert_eq!(connection.receive().await.status, 200);
}

/// Each front end has a connection of its own to Redis, and so has the worker.
#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that did not run must not look as if it had")]
async fn a_result_reaches_every_front_end_through_redis() {
    let Some(redis) = std::env::var_os("COUNTERSIGN_TEST_REDIS") else {
        eprintln!("not tested: COUNTERSIGN_TEST_REDIS is not set");
        return;
    };
    let redis = redis.to_str().expect("an address");
    let channel = format!("countersign-test-{}", VerificationId::new());
    let signal = async || {
        Arc::new(RedisSignal::open(&redis.into(), &channel).await.expect("redis is there")) as Arc<dyn Signal>
    };
    let worker = signal().await;
    let [first, second] = Service::pair([signal().await, signal().await]).await;
    let mut waits = send(&first).await;
    let id = first.accepted().await;
    let (address, key) = (second.address, second.key.clone());
    let polls = tokio::spawn(async move {
        get(address, &format!("/v2/verifications/{id}?wait=30"), &[("X-Api-Key", &key)]).await
    });
    second.eventually("the poll waits", || async { second.signal.listened() == [id] }).await;
    let claim =
        first.stores.verifications.claim(id, "worker", Duration::from_secs(30)).await.expect("a claim");
    let Claim::Claimed(lease, verification) = claim else { panic!("it was queued") };
    let outcome = Outcome::Succeeded(Box::new(sample(verification.request.kind)));
    first.stores.verifications.finish(&lease, &outcome).await.expect("the lease holds");
    let announced = Instant::now();
    worker.announce(id, Change::End).await;
    assert_eq!(waits.receive().await.status, 200);
    assert_eq!(polls.await.expect("an answer").json()["state"], "succeeded");
    assert!(announced.elapsed() < Duration::from_secs(2), "no signal came, but a look at the row");
}

#[tokio::test]
async fn every_failure_of_a_job_is_answered_with_its_code_and_status() {
    let service = Service::start(&[("V1__WAIT", "20s")]).await;
    let next = Arc::new(std::sync::Mutex::new(ProblemCode::Internal));
    let code_to_fail_with = Arc::clone(&next);
    service.respond(move |_| {
        let code = *code_to_fail_with.lock().expect("no panic");
        Outcome::Failed(Failure::new(code, "what a person should know"))
    });
    for code in ProblemCode::ALL {
        *next.lock().expect("no panic") = *code;
        let response = service.post("/v1.1/photoverify", &parts(&service)).await;
        response.expect_error(code.status(), code.code());
        assert!(response.header("x-verification-id").is_some());
        let said = response.header("x-error-detail").expect("a sentence");
        if *code == ProblemCode::Internal {
            assert_eq!(said, code.title(), "an internal failure says nothing of itself");
        } else {
            assert_eq!(said, "what a person should know");
        }
    }
}

#[tokio::test]
async fn a_canceled_verification_is_a_conflict() {
    let service = Service::start(&[]).await;
    let mut connection = send(&service).await;
    let id = service.accepted().await;
    service.stores.verifications.cancel(service.tenant, id).await.expect("canceled");
    connection.receive().await.expect_error(409, "CONFLICT");
}

#[tokio::test]
async fn a_shutdown_waits_for_running_calls() {
    let mut service = Service::start(&[("SERVER__DRAIN", "20s")]).await;
    let mut connection = send(&service).await;
    let id = service.accepted().await;
    service.shutdown.cancel();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let claim =
        service.stores.verifications.claim(id, "worker", Duration::from_secs(30)).await.expect("a claim");
    let Claim::Claimed(lease, verification) = claim else { panic!("still queued") };
    let outcome = Outcome::Succeeded(Box::new(sample(verification.request.kind)));
    service.stores.verifications.finish(&lease, &outcome).await.expect("the lease holds");
    assert_eq!(connection.receive().await.status, 200);
    let ended = tokio::time::timeout(Duration::from_secs(15), &mut service.running).await.expect("it ends");
    ended.expect("no panic").expect("no error");
}

#[tokio::test]
async fn a_shutdown_answers_those_it_cannot_wait_for_and_their_jobs_go_on() {
    let mut service = Service::start(&[("SERVER__DRAIN", "1s")]).await;
    let mut connection = send(&service).await;
    let id = service.accepted().await;
    service.shutdown.cancel();
    connection.receive().await.expect_error(504, "TIMED_OUT");
    let ended = tokio::time::timeout(Duration::from_secs(15), &mut service.running).await.expect("it ends");
    ended.expect("no panic").expect("no error");
    assert_eq!(service.verification(id).await.state, State::Queued, "the job goes on after the restart");
}

/// Each hears of its own result: half of them by the signal, and half, whose signal was lost, by the watcher.
#[tokio::test]
async fn a_thousand_who_wait_are_told_of_their_own_results() {
    const WAITERS: usize = 1000;
    let service = Service::start(&[]).await;
    let mut waiting = Vec::new();
    for _ in 0..WAITERS {
        let id = service.accept().await;
        let path = format!("/v2/verifications/{id}?wait=60");
        waiting.push((id, sent(service.address, "GET", &path, &[("X-Api-Key", &service.key)]).await));
    }
    service.eventually("all wait", || async { service.signal.listened().len() == WAITERS }).await;
    for (index, (id, _)) in waiting.iter().enumerate() {
        let lease = service.claim(*id).await;
        service.finish(&lease).await;
        if index % 2 == 0 {
            service.signal.announce(*id, Change::End).await;
        }
    }
    for (id, mut connection) in waiting {
        let response = connection.receive().await;
        let resource = response.json();
        assert_eq!((response.status, resource["state"].as_str()), (200, Some("succeeded")), "{id}");
        assert_eq!(resource["id"].as_str(), Some(id.to_string().as_str()));
    }
    service.eventually("nobody waits", || async { service.signal.listened().is_empty() }).await;
}

#[tokio::test]
async fn a_client_that_no_longer_waits_costs_nothing() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    let path = format!("/v2/verifications/{id}?wait=60");
    let connection = sent(service.address, "GET", &path, &[("X-Api-Key", &service.key)]).await;
    service.eventually("it waits", || async { service.signal.listened() == [id] }).await;
    drop(connection);
    service.eventually("it no longer waits", || async { service.signal.listened().is_empty() }).await;
}
