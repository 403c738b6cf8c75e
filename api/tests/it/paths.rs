//! Paths, methods, and what else the service says.

use countersign_api::Readiness;
use countersign_shared::domain::{LANGUAGES, ProblemCode};

use crate::client::{Part, get, post, request};
use crate::media::jpeg;
use crate::service::Service;

#[tokio::test]
async fn the_process_says_that_it_lives_and_whether_it_is_ready() {
    let service = Service::start(&[]).await;
    assert_eq!(get(service.address, "/healthz", &[]).await.status, 200);
    for (readiness, status) in
        [(Readiness::Starting, 503), (Readiness::Ready, 200), (Readiness::Stopping, 503)]
    {
        service.readiness.send_replace(readiness);
        let response = get(service.address, "/readyz", &[]).await;
        assert_eq!((response.status, response.json()["status"].as_str()), (status, Some(readiness.name())));
        assert_eq!(get(service.address, "/healthz", &[]).await.status, 200);
    }
}

#[tokio::test]
async fn a_process_that_is_not_ready_takes_no_work() {
    let service = Service::start(&[]).await;
    service.readiness.send_replace(Readiness::Starting);
    let parts = [service.key_part(), Part::file("photo", &jpeg(1000))];
    let response = service.post("/v1.1/spoofdetect", &parts).await;
    response.expect_error(503, "UNAVAILABLE");
    assert!(response.header("retry-after").is_some());
}

#[tokio::test]
async fn metrics_are_plain_text() {
    let service = Service::start(&[]).await;
    let response = get(service.address, "/metrics", &[]).await;
    assert!(response.header("content-type").is_some_and(|kind| kind.starts_with("text/plain")));
    assert_eq!(response.body, "a_metric 1\n");
}

#[tokio::test]
async fn the_accepted_languages_are_listed() {
    let service = Service::start(&[]).await;
    let listed = get(service.address, "/v2/languages", &[]).await.json();
    assert_eq!(listed["languages"].as_array().map(Vec::len), Some(LANGUAGES.len()));
    assert!(listed["languages"].as_array().is_some_and(|tags| tags.contains(&"th-TH".into())));
}

#[tokio::test]
async fn every_error_code_is_listed() {
    let service = Service::start(&[]).await;
    let listed = get(service.address, "/v2/errors", &[]).await.json();
    let listed = listed["errors"].as_array().expect("a list");
    assert_eq!(listed.len(), ProblemCode::ALL.len());
    for (item, code) in listed.iter().zip(ProblemCode::ALL) {
        assert_eq!(
            (item["code"].as_str(), item["status"].as_u64()),
            (Some(code.code()), Some(code.status().into()))
        );
    }
}

#[tokio::test]
async fn an_unknown_path_or_method_is_answered_in_its_versions_style() {
    let service = Service::start(&[]).await;
    get(service.address, "/v1.1/nothing", &[]).await.expect_error(404, "NOT_FOUND");
    get(service.address, "/v1.1/photoverify", &[]).await.expect_error(405, "METHOD_NOT_ALLOWED");
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/v2/verifications/ver_nonsense", 401, "INVALID_API_KEY"),
        ("DELETE", "/v2/languages", 405, "METHOD_NOT_ALLOWED"),
    ] {
        let response = request(service.address, method, path, &[]).await;
        assert_eq!(response.header("content-type"), Some("application/problem+json"), "{path}");
        let problem = response.json();
        assert_eq!(
            (response.status, problem["code"].as_str(), problem["status"].as_u64()),
            (status, Some(code), Some(status.into())),
            "{path}"
        );
        assert_eq!(problem["request_id"].as_str(), response.header("x-request-id"));
    }
}

#[tokio::test]
async fn an_id_that_is_none_is_not_found() {
    let service = Service::start(&[]).await;
    let key = [("X-Api-Key", service.key.as_str())];
    assert_eq!(get(service.address, "/v2/verifications/nonsense", &key).await.status, 404);
}

#[tokio::test]
async fn a_sane_request_id_is_the_clients_own() {
    let service = Service::start(&[]).await;
    let own = get(service.address, "/healthz", &[("X-Request-Id", "order-42.a_b")]).await;
    assert_eq!(own.header("x-request-id"), Some("order-42.a_b"));
    let long = "x".repeat(200);
    for insane in ["a b", "<script>", &long] {
        let response = get(service.address, "/healthz", &[("X-Request-Id", insane)]).await;
        let made = response.header("x-request-id").expect("one is made");
        assert!(made != insane && made.len() == 32, "{made}");
    }
}

#[tokio::test]
async fn a_refusal_carries_a_request_id_too() {
    let service = Service::start(&[]).await;
    let response = post(service.address, "/v1.1/photoverify", &[("X-Request-Id", "mine")], &[]).await;
    response.expect_error(401, "INVALID_API_KEY");
    assert_eq!(response.header("x-request-id"), Some("mine"));
}
