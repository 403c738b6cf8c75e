//! Submit, poll, list, cancel.

use countersign_shared::domain::{Scope, State};
use serde_json::{Value, json};

use crate::client::{Part, Response, get, post};
use crate::media::jpeg;
use crate::service::Service;

const PATH: &str = "/v2/verifications";

struct Caller<'a> {
    service: &'a Service,
    key: String,
}

impl<'a> Caller<'a> {
    fn of(service: &'a Service) -> Self {
        Self { service, key: service.key.clone() }
    }

    async fn of_another_tenant(service: &'a Service) -> Self {
        let tenant = service.tenant_named("another").await;
        let key = service.add_key_of(tenant, Scope::ALL, None).await.0;
        Self { service, key }
    }

    async fn submit(&self, parts: &[Part], headers: &[(&str, &str)]) -> Response {
        let headers: Vec<_> = [("X-Api-Key", self.key.as_str())].iter().chain(headers).copied().collect();
        post(self.service.address, PATH, &headers, parts).await
    }

    async fn get(&self, path: &str) -> Response {
        get(self.service.address, path, &[("X-Api-Key", &self.key)]).await
    }

    async fn cancel(&self, id: &str) -> Response {
        let path = format!("{PATH}/{id}/cancel");
        post(self.service.address, &path, &[("X-Api-Key", &self.key)], &[]).await
    }
}

fn spoof() -> Vec<Part> {
    vec![Part::text("kind", "spoof"), Part::file("photo", &jpeg(2000))]
}

fn with(mut parts: Vec<Part>, name: &str, value: &str) -> Vec<Part> {
    parts.push(Part::text(name, value));
    parts
}

fn id_of(response: &Response) -> String {
    response.json()["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_submission_is_accepted_before_it_is_finished() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let response = caller.submit(&with(spoof(), "metadata", r#"{"order": 7}"#), &[]).await;
    assert_eq!(response.status, 202);
    let resource = response.json();
    assert_eq!((&resource["kind"], &resource["state"]), (&json!("spoof"), &json!("queued")));
    assert_eq!((&resource["metadata"], &resource["report"]), (&json!({"order": 7}), &Value::Null));
    let location = response.header("location").expect("where it is");
    assert_eq!(location, format!("{PATH}/{}", id_of(&response)));
    assert_eq!(response.header("x-verification-id"), Some(id_of(&response).as_str()));
    assert_eq!(caller.get(location).await.json(), resource);
}

#[tokio::test]
async fn a_client_that_prefers_to_wait_gets_the_finished_resource() {
    let service = Service::working(&[]).await;
    let response = Caller::of(&service).submit(&spoof(), &[("Prefer", "respond-async, wait=30")]).await;
    assert_eq!((response.status, response.header("preference-applied")), (200, Some("wait=30")));
    assert_eq!(response.json()["state"], "succeeded");
    assert!(response.json()["report"].is_object());
}

#[tokio::test]
async fn a_wait_that_ends_too_early_gives_what_there_is() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let response = caller.submit(&spoof(), &[("Prefer", "wait=0")]).await;
    assert_eq!((response.status, response.json()["state"].as_str()), (202, Some("queued")));
    let polled = caller.get(&format!("{PATH}/{}?wait=0", id_of(&response))).await;
    assert_eq!((polled.status, polled.json()["state"].as_str()), (200, Some("queued")));
}

#[tokio::test]
async fn a_poll_that_waits_is_answered_when_the_job_is_finished() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let path = format!("{PATH}/{}?wait=30", id_of(&caller.submit(&spoof(), &[]).await));
    let (polled, ()) = tokio::join!(caller.get(&path), async {
        service.respond(|verification| {
            countersign_shared::store::Outcome::Succeeded(Box::new(crate::reports::sample(
                verification.request.kind,
            )))
        });
    });
    assert_eq!((polled.status, polled.json()["state"].as_str()), (200, Some("succeeded")));
}

#[tokio::test]
async fn a_submission_goes_on_when_its_client_is_gone() {
    let service = Service::start(&[]).await;
    let id = Caller::of(&service).submit(&spoof(), &[]).await;
    let id = id_of(&id).parse().expect("an id");
    assert_eq!(service.verification(id).await.state, State::Queued);
}

#[tokio::test]
async fn what_can_not_be_read_is_refused_with_its_field_and_nothing_is_kept() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let photo = || Part::file("photo", &jpeg(2000));
    let refused: [(Vec<Part>, &str, &str); 9] = [
        (vec![photo()], "MISSING_FIELD", "kind"),
        (vec![photo(), Part::text("kind", "face")], "INVALID_FIELD", "kind"),
        (vec![Part::text("kind", "spoof")], "MISSING_FIELD", "photo"),
        (vec![photo(), Part::text("kind", "photo")], "MISSING_FIELD", "id_card"),
        (with(spoof(), "lane", "urgent"), "INVALID_FIELD", "lane"),
        (with(spoof(), "metadata", "[1]"), "INVALID_FIELD", "metadata"),
        (with(spoof(), "metadata", r#"{"a": "\u0000"}"#), "INVALID_FIELD", "metadata"),
        (
            with(spoof(), "metadata", &format!("{{\"a\": \"{}\"}}", "x".repeat(4100))),
            "INVALID_FIELD",
            "metadata",
        ),
        ([spoof(), vec![Part::file("id_card", &jpeg(100))]].concat(), "INVALID_FIELD", "id_card"),
    ];
    for (parts, code, field) in refused {
        let response = caller.submit(&parts, &[]).await;
        response.expect_problem(400, code);
        assert!(
            response.json()["detail"].as_str().is_some_and(|detail| detail.contains(field)),
            "{}",
            response.body
        );
    }
    let endless = caller.submit(&spoof(), &[("Prefer", "wait=61")]).await;
    endless.expect_problem(400, "INVALID_FIELD");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_batch_does_not_stand_in_the_interactive_lane() {
    let service = Service::start(&[("LANES__PHOTO_BATCH", "{ max_depth = 1 }")]).await;
    let caller = Caller::of(&service);
    assert_eq!(caller.submit(&with(spoof(), "lane", "batch"), &[]).await.status, 202);
    let full = caller.submit(&with(spoof(), "lane", "batch"), &[]).await;
    full.expect_problem(503, "QUEUE_FULL");
    assert!(full.header("retry-after").is_some());
    assert_eq!(caller.submit(&spoof(), &[]).await.status, 202);
}

#[tokio::test]
async fn a_tenant_that_fills_a_lane_does_not_shut_out_another() {
    let service = Service::start(&[("LANES__PHOTO_BATCH", "{ max_depth = 2 }")]).await;
    let (many, few) = (Caller::of(&service), Caller::of_another_tenant(&service).await);
    let batch = || with(spoof(), "lane", "batch");
    for _ in 0..2 {
        assert_eq!(many.submit(&batch(), &[]).await.status, 202);
    }
    many.submit(&batch(), &[]).await.expect_problem(503, "QUEUE_FULL");
    assert_eq!(few.submit(&batch(), &[]).await.status, 202);
    few.submit(&batch(), &[]).await.expect_problem(503, "QUEUE_FULL");
}

#[tokio::test]
async fn a_tenants_verifications_are_listed_page_by_page() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let mut newest_first = Vec::new();
    for _ in 0..5 {
        newest_first.insert(0, id_of(&caller.submit(&spoof(), &[]).await));
        Caller::of_another_tenant(&service).await.submit(&spoof(), &[]).await;
    }
    let (mut listed, mut path) = (Vec::new(), format!("{PATH}?limit=2"));
    loop {
        let page = caller.get(&path).await.json();
        let data = page["data"].as_array().expect("a list");
        assert!(data.len() <= 2 && data.iter().all(|item| item.get("report").is_none()));
        listed.extend(data.iter().map(|item| item["id"].as_str().expect("an id").to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("{PATH}?limit=2&cursor={cursor}");
    }
    assert_eq!(listed, newest_first);
    for wrong in ["limit=0", "limit=101", "limit=x", "cursor=x", "offset=3"] {
        caller.get(&format!("{PATH}?{wrong}")).await.expect_problem(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn a_queued_verification_can_be_canceled_and_a_finished_one_not() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let id = id_of(&caller.submit(&spoof(), &[]).await);
    for _ in 0..2 {
        let canceled = caller.cancel(&id).await;
        assert_eq!((canceled.status, canceled.json()["state"].as_str()), (200, Some("canceled")));
    }
    let other = id_of(&caller.submit(&spoof(), &[]).await);
    service.respond(|verification| {
        countersign_shared::store::Outcome::Succeeded(Box::new(crate::reports::sample(
            verification.request.kind,
        )))
    });
    service.becomes(other.parse().expect("an id"), State::Succeeded).await;
    caller.cancel(&other).await.expect_problem(409, "CONFLICT");
}

#[tokio::test]
async fn another_tenants_verification_does_not_exist() {
    let service = Service::start(&[]).await;
    let id = id_of(&Caller::of(&service).submit(&spoof(), &[]).await);
    let other = Caller::of_another_tenant(&service).await;
    other.get(&format!("{PATH}/{id}")).await.expect_problem(404, "NOT_FOUND");
    other.get(&format!("{PATH}/{id}?wait=1")).await.expect_problem(404, "NOT_FOUND");
    other.cancel(&id).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(other.get(PATH).await.json()["data"], json!([]));
}

#[tokio::test]
async fn an_operation_needs_its_scope() {
    let service = Service::start(&[]).await;
    let id = id_of(&Caller::of(&service).submit(&spoof(), &[]).await);
    let reader = Caller { service: &service, key: service.add_key(&[Scope::VerifyRead], None).await.0 };
    reader.submit(&spoof(), &[]).await.expect_problem(403, "FORBIDDEN");
    reader.cancel(&id).await.expect_problem(403, "FORBIDDEN");
    let writer = Caller { service: &service, key: service.add_key(&[Scope::VerifyWrite], None).await.0 };
    writer.get(PATH).await.expect_problem(403, "FORBIDDEN");
    writer.get(&format!("{PATH}/{id}")).await.expect_problem(403, "FORBIDDEN");
    get(service.address, PATH, &[]).await.expect_problem(401, "INVALID_API_KEY");
}
