//! Endpoints, their secrets, their deliveries, and whose they are.

use countersign_shared::domain::{Scope, VerificationId};
use countersign_shared::store::{DeliveryShare, Outcome};
use serde_json::{Value, json};

use crate::client::{Connection, Part, Response, post};
use crate::media::jpeg;
use crate::service::Service;

const PATH: &str = "/v2/webhooks";
const URL: &str = "https://example.com/hooks?token=1";

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
        Self { service, key: service.add_key_of(tenant, Scope::ALL, None).await.0 }
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Response {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            self.key,
            body.len()
        );
        let mut connection = Connection::open(self.service.address).await;
        connection.send(&[head.as_bytes(), body.as_bytes()].concat()).await.expect("the service reads");
        connection.receive().await
    }

    async fn get(&self, path: &str) -> Response {
        self.send("GET", path, &Value::Null).await
    }

    /// The new endpoint's id and secret.
    async fn create(&self, body: &Value) -> (String, String) {
        let created = self.send("POST", PATH, body).await;
        assert_eq!(created.status, 201, "{created:?}");
        let text = |member: &str| created.json()[member].as_str().expect(member).to_owned();
        (text("id"), text("secret"))
    }

    async fn submit(&self, parts: &[(&str, &str)]) -> Response {
        let mut form = vec![Part::text("kind", "spoof"), Part::file("photo", &jpeg(2000))];
        form.extend(parts.iter().map(|(name, value)| Part::text(name, value)));
        post(self.service.address, "/v2/verifications", &[("X-Api-Key", &self.key)], &form).await
    }
}

#[tokio::test]
async fn an_endpoint_is_made_with_a_secret_that_is_never_shown_again() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let body = json!({"url": URL, "description": "orders", "events": ["verification.failed"]});
    let created = caller.send("POST", PATH, &body).await;
    assert_eq!((created.status, created.header("cache-control")), (201, Some("no-store")));
    let (id, secret) = (created.json()["id"].clone(), created.json()["secret"].clone());
    assert!(id.as_str().is_some_and(|id| id.starts_with("whk_")), "{id}");
    assert!(secret.as_str().is_some_and(|secret| secret.starts_with("whsec_")), "{secret}");
    let path = created.header("location").expect("where it is").to_owned();
    assert_eq!(path, format!("{PATH}/{}", id.as_str().expect("text")));
    let read = caller.get(&path).await;
    assert_eq!((read.status, &read.json()["url"], &read.json()["enabled"]), (200, &json!(URL), &json!(true)));
    assert_eq!(read.json()["events"], json!(["verification.failed"]));
    let listed = caller.get(PATH).await.json();
    assert_eq!(listed["data"], json!([read.json()]));
    for shown in [read.json(), listed] {
        assert!(!shown.to_string().contains("whsec_"), "{shown}");
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_rotated_and_deleted() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let (id, secret) = caller.create(&json!({"url": URL})).await;
    let path = format!("{PATH}/{id}");
    let changed =
        caller.send("PATCH", &path, &json!({"enabled": false, "events": ["webhook.disabled"]})).await;
    assert_eq!((changed.status, &changed.json()["disabled_reason"]), (200, &json!("requested")));
    assert_eq!((&changed.json()["url"], &changed.json()["enabled"]), (&json!(URL), &json!(false)));
    caller.send("POST", &format!("{path}/test"), &Value::Null).await.expect_problem(409, "CONFLICT");
    let enabled = caller.send("PATCH", &path, &json!({"enabled": true})).await.json();
    assert_eq!((&enabled["enabled"], &enabled["disabled_at"]), (&json!(true), &Value::Null));
    let rotated = caller.send("POST", &format!("{path}/rotate"), &json!({"overlap": 60})).await;
    assert_eq!((rotated.status, rotated.header("cache-control")), (200, Some("no-store")));
    assert!(rotated.json()["secret"] != json!(secret) && rotated.json()["previous_secret_until"].is_string());
    let usual = caller.send("POST", &format!("{path}/rotate"), &Value::Null).await;
    assert_eq!(usual.status, 200, "a body is not needed");
    let tenants = caller.send("POST", &format!("{PATH}/secret/rotate"), &Value::Null).await.json();
    assert_eq!((tenants["secret"].is_string(), &tenants["previous_secret_until"]), (true, &Value::Null));
    assert_eq!(caller.send("DELETE", &path, &Value::Null).await.status, 204);
    caller.get(&path).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn what_can_not_be_told_is_refused_with_a_sentence() {
    let service = Service::start(&[("WEBHOOKS__ENDPOINTS", "1")]).await;
    let caller = Caller::of(&service);
    caller.send("POST", PATH, &json!({})).await.expect_problem(400, "MISSING_FIELD");
    for (body, word) in [
        (json!({"url": "http://example.com/"}), "https"),
        (json!({"url": "example.com"}), "https"),
        (json!({"url": "https://me:pass@example.com/"}), "password"),
        (json!({"url": "https://127.0.0.1/"}), "public"),
        (json!({"url": "https://[::ffff:169.254.169.254]/"}), "public"),
        (json!({"url": "https://0x0a.1/"}), "public"),
        (json!({"url": format!("https://example.com/{}", "x".repeat(2100))}), "2048"),
        (json!({"url": URL, "events": ["verification.started"]}), "verification.started"),
        (json!({"url": URL, "description": "x".repeat(201)}), "description"),
        (json!({"url": URL, "description": "\u{0}"}), "description"),
        (json!({"url": URL, "colour": "red"}), "colour"),
        (json!([]), "body"),
    ] {
        let refused = caller.send("POST", PATH, &body).await;
        refused.expect_problem(400, "INVALID_FIELD");
        let detail = refused.json()["detail"].as_str().expect("a sentence").to_owned();
        assert!(detail.contains(word) && !detail.contains("pass@"), "{detail}");
    }
    let (id, _) = caller.create(&json!({"url": URL})).await;
    caller.send("POST", PATH, &json!({"url": URL})).await.expect_problem(409, "CONFLICT");
    let path = format!("{PATH}/{id}");
    for (method, path, body) in [
        ("PATCH", path.clone(), json!({"url": "https://10.0.0.1/"})),
        ("PATCH", path.clone(), json!({"secret": "whsec_"})),
        ("POST", format!("{path}/rotate"), json!({"overlap": 604_801})),
        ("POST", format!("{PATH}/secret/rotate"), json!({"overlap": -1})),
        ("GET", format!("{path}/deliveries?state=lost"), Value::Null),
        ("GET", format!("{path}/deliveries?limit=101"), Value::Null),
        ("GET", format!("{path}/deliveries?cursor=x"), Value::Null),
    ] {
        caller.send(method, &path, &body).await.expect_problem(400, "INVALID_FIELD");
    }
    let own = caller.submit(&[("webhook_url", "https://192.168.0.1/")]).await;
    own.expect_problem(400, "INVALID_FIELD");
    assert!(
        own.json()["detail"].as_str().is_some_and(|detail| detail.contains("webhook_url")),
        "{}",
        own.body
    );
    service.keeps_nothing().await;
}

#[tokio::test]
async fn deliveries_are_listed_and_sent_again() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let (id, _) = caller.create(&json!({"url": URL})).await;
    let path = format!("{PATH}/{id}/deliveries");
    let test = caller.send("POST", &format!("{PATH}/{id}/test"), &Value::Null).await;
    assert_eq!(test.status, 202);
    service.respond(|_| {
        Outcome::Succeeded(Box::new(crate::reports::sample(countersign_shared::domain::Kind::Spoof)))
    });
    let submitted = caller.submit(&[("webhook_url", "https://example.com/own")]).await;
    assert_eq!(submitted.status, 202, "{submitted:?}");
    let verification = submitted.json()["id"].as_str().expect("an id").to_owned();
    let parsed: VerificationId = verification.parse().expect("an id");
    service.becomes(parsed, countersign_shared::domain::State::Succeeded).await;
    let own = service.verification(parsed).await.request.webhook_url.expect("its own URL");
    assert_eq!(own.as_str(), "https://example.com/own");
    assert!(submitted.json().get("webhook_url").is_none(), "it may hold a token");
    let first = caller.get(&format!("{path}?limit=1")).await.json();
    assert_eq!(first["data"][0]["event"], "verification.succeeded");
    assert_eq!(first["data"][0]["verification"], verification);
    assert_eq!((&first["data"][0]["state"], &first["data"][0]["log"]), (&json!("pending"), &json!([])));
    let about = caller.get(&format!("/v2/verifications/{verification}/deliveries")).await.json();
    let about = about["data"].as_array().expect("a list");
    let mut endpoints: Vec<&Value> = about.iter().map(|delivery| &delivery["endpoint"]).collect();
    endpoints.sort_by_key(|endpoint| endpoint.is_null());
    assert_eq!(endpoints, [&json!(id), &Value::Null], "the endpoint's, and its own URL's");
    assert!(about.iter().all(|delivery| delivery["verification"] == verification));
    let cursor = first["next_cursor"].as_str().expect("a second page");
    let second = caller.get(&format!("{path}?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&second["data"][0]["event"], &second["next_cursor"]), (&json!("webhook.test"), &Value::Null));
    assert_eq!(second["data"][0]["id"], test.json()["id"]);
    assert_eq!(caller.get(&format!("{path}?state=delivered")).await.json()["data"], json!([]));
    let again = format!("{path}/{}/redeliver", test.json()["id"].as_str().expect("an id"));
    assert_eq!(caller.send("POST", &again, &Value::Null).await.status, 202);
    let share = DeliveryShare { most: 10, most_each: 10 };
    let held = service.stores.deliveries.claim_deliveries(share, "sender", std::time::Duration::from_mins(1));
    assert_eq!(held.await.expect("rows").len(), 3, "the test, the end, and the end to its own URL");
    caller.send("POST", &again, &Value::Null).await.expect_problem(409, "CONFLICT");
}

#[tokio::test]
async fn another_tenants_endpoint_does_not_exist_for_any_operation() {
    let service = Service::start(&[]).await;
    let caller = Caller::of(&service);
    let (id, _) = caller.create(&json!({"url": URL})).await;
    let test = caller.send("POST", &format!("{PATH}/{id}/test"), &Value::Null).await.json();
    let delivery = test["id"].as_str().expect("an id").to_owned();
    let other = Caller::of_another_tenant(&service).await;
    let (own, _) = other.create(&json!({"url": URL})).await;
    for (method, rest) in [
        ("GET", String::new()),
        ("PATCH", String::new()),
        ("DELETE", String::new()),
        ("POST", "/rotate".to_owned()),
        ("POST", "/test".to_owned()),
        ("GET", "/deliveries".to_owned()),
        ("POST", format!("/deliveries/{delivery}/redeliver")),
    ] {
        for foreign in [&id, &"whk_nonsense".to_owned()] {
            let response = other.send(method, &format!("{PATH}/{foreign}{rest}"), &json!({})).await;
            response.expect_problem(404, "NOT_FOUND");
        }
    }
    let mixed = format!("{PATH}/{own}/deliveries/{delivery}/redeliver");
    other.send("POST", &mixed, &json!({})).await.expect_problem(404, "NOT_FOUND");
    assert_eq!(other.get(PATH).await.json()["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(caller.get(&format!("{PATH}/{id}")).await.status, 200);
}

#[tokio::test]
async fn every_operation_needs_the_scope() {
    let service = Service::start(&[]).await;
    let scopes: Vec<Scope> = Scope::ALL.iter().copied().filter(|one| *one != Scope::WebhookWrite).collect();
    let caller = Caller { service: &service, key: service.add_key(&scopes, None).await.0 };
    let id = "whk_019b0f3c2a7e7d31a5c06f1e8d94b2a7";
    for (method, path) in [
        ("GET", PATH.to_owned()),
        ("POST", PATH.to_owned()),
        ("GET", format!("{PATH}/{id}")),
        ("PATCH", format!("{PATH}/{id}")),
        ("DELETE", format!("{PATH}/{id}")),
        ("POST", format!("{PATH}/{id}/rotate")),
        ("POST", format!("{PATH}/secret/rotate")),
        ("POST", format!("{PATH}/{id}/test")),
        ("GET", format!("{PATH}/{id}/deliveries")),
        ("POST", format!("{PATH}/{id}/deliveries/msg_019b0f3c2a7e7d31a5c06f1e8d94b2a7/redeliver")),
    ] {
        caller.send(method, &path, &Value::Null).await.expect_problem(403, "FORBIDDEN");
    }
}
