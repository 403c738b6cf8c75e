//! Digits that are issued, and the verifications that name them.

use countersign_shared::domain::{
    Check, CheckName, Digits, NamedChallenge, Request, Scope, Standing, Verdict, VerificationId,
};
use countersign_shared::store::Outcome;
use serde_json::Value;

use crate::client::{Connection, Part, Response, get, post};
use crate::media::{jpeg, mp4};
use crate::reports;
use crate::service::Service;

const PATH: &str = "/v2/challenges";

async fn issue_as(service: &Service, key: &str, body: &str) -> Response {
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHost: localhost\r\nX-Api-Key: {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let mut connection = Connection::open(service.address).await;
    connection.send(&[head.as_bytes(), body.as_bytes()].concat()).await.expect("read");
    connection.receive().await
}

async fn issue(service: &Service, body: &str) -> Value {
    let response = issue_as(service, &service.key, body).await;
    assert_eq!(response.status, 201, "{response:?}");
    response.json()
}

async fn read(service: &Service, id: &str) -> Value {
    get(service.address, &format!("{PATH}/{id}"), &[("X-Api-Key", &service.key)]).await.json()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The seconds for which it is open, as the store has them; the answer says the same.
async fn lifetime(service: &Service, challenge: &Value) -> i64 {
    let id = text(&challenge["id"]).parse().expect("an id");
    let stored = service.stores.challenges.challenge(service.tenant, id).await.expect("the challenge");
    assert_eq!(text(&challenge["created_at"]), stored.created_at.to_string());
    assert_eq!(text(&challenge["expires_at"]), stored.expires_at.to_string());
    (stored.expires_at.as_millis() - stored.created_at.as_millis()) / 1000
}

fn video(fields: &[(&str, &str)]) -> Vec<Part> {
    let files = [Part::file("id_card", &jpeg(3000)), Part::file("video", &mp4(30_000))];
    files.into_iter().chain(fields.iter().map(|(name, value)| Part::text(name, value))).collect()
}

/// Submits a video with these fields and gives what the worker is asked.
async fn requested(service: &Service, fields: &[(&str, &str)]) -> Request {
    let parts = video(&[&[("kind", "video"), ("language", "en-US")], fields].concat());
    let response = post(service.address, "/v2/verifications", &[("X-Api-Key", &service.key)], &parts).await;
    assert_eq!(response.status, 202, "{response:?}");
    let id: VerificationId = text(&response.json()["id"]).parse().expect("an id");
    service.verification(id).await.request
}

fn standing(request: &Request) -> Option<Standing> {
    request.named_challenge.map(|NamedChallenge { standing, .. }| standing)
}

#[tokio::test]
async fn an_issued_challenge_is_open_for_as_long_as_was_asked() {
    let service = Service::start(&[]).await;
    for (body, seconds) in
        [("", 120), ("{}", 120), (r#"{"expires_in": 10}"#, 10), (r#"{"expires_in": 3600}"#, 3600)]
    {
        let response = issue_as(&service, &service.key, body).await;
        assert_eq!(response.status, 201, "{response:?}");
        let challenge = response.json();
        assert_eq!(challenge["state"], "open");
        assert_eq!(text(&challenge["digits"]).len(), 6);
        assert!(text(&challenge["digits"]).parse::<Digits>().is_ok());
        assert_eq!(lifetime(&service, &challenge).await, seconds);
        let location = response.header("location").expect("where it is");
        assert_eq!(location, format!("{PATH}/{}", text(&challenge["id"])));
        assert!(text(&challenge["id"]).starts_with("chl_"));
        assert_eq!(read(&service, text(&challenge["id"])).await, challenge);
    }
}

#[tokio::test]
async fn the_usual_lifetime_is_a_setting() {
    let service = Service::start(&[("CHALLENGES__EXPIRES_IN", "30s")]).await;
    let challenge = issue(&service, "").await;
    assert_eq!(lifetime(&service, &challenge).await, 30);
}

#[tokio::test]
async fn a_wrong_wish_is_refused() {
    let service = Service::start(&[]).await;
    for body in
        [r#"{"expires_in": 9}"#, r#"{"expires_in": 3601}"#, r#"{"digits": "123456"}"#, "[]", "[300]", "{"]
    {
        issue_as(&service, &service.key, body).await.expect_problem(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn an_operation_needs_its_scope_and_its_tenant() {
    let service = Service::start(&[]).await;
    let id = text(&issue(&service, "").await["id"]).to_owned();
    let path = format!("{PATH}/{id}");
    let reader = service.add_key(&[Scope::VerifyRead], None).await.0;
    issue_as(&service, &reader, "").await.expect_problem(403, "FORBIDDEN");
    let writer = service.add_key(&[Scope::VerifyWrite], None).await.0;
    get(service.address, &path, &[("X-Api-Key", &writer)]).await.expect_problem(403, "FORBIDDEN");
    let tenant = service.tenant_named("another").await;
    let other = service.add_key_of(tenant, Scope::ALL, None).await.0;
    get(service.address, &path, &[("X-Api-Key", &other)]).await.expect_problem(404, "NOT_FOUND");
    get(service.address, &path, &[]).await.expect_problem(401, "INVALID_API_KEY");
    let nonsense = format!("{PATH}/ver_1");
    get(service.address, &nonsense, &[("X-Api-Key", &service.key)]).await.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_verification_that_names_a_challenge_uses_it_up() {
    let service = Service::start(&[]).await;
    let challenge = issue(&service, "").await;
    let id = text(&challenge["id"]);
    let first = requested(&service, &[("challenge_id", id)]).await;
    assert_eq!(standing(&first), Some(Standing::Accepted));
    assert_eq!(first.challenge.map(|digits| digits.to_string()).as_deref(), challenge["digits"].as_str());
    let used = read(&service, id).await;
    assert_eq!((&used["state"], &used["digits"]), (&"used".into(), &Value::Null));
    let second = requested(&service, &[("challenge_id", id)]).await;
    assert_eq!(standing(&second), Some(Standing::Used));
    assert_eq!(second.challenge, first.challenge);
}

#[tokio::test]
async fn a_challenge_that_does_not_exist_has_no_digits() {
    let service = Service::start(&[]).await;
    let tenant = service.tenant_named("another").await;
    let other = service.add_key_of(tenant, Scope::ALL, None).await.0;
    let others = issue_as(&service, &other, "").await.json();
    let nobodys = format!("chl_{}", "0".repeat(32));
    for id in [text(&others["id"]), nobodys.as_str()] {
        let request = requested(&service, &[("challenge_id", id)]).await;
        assert_eq!((standing(&request), request.challenge), (Some(Standing::Unknown), None));
    }
    let response =
        get(service.address, &format!("{PATH}/{}", text(&others["id"])), &[("X-Api-Key", &other)]).await;
    assert_eq!(response.json()["state"], "open");
}

#[tokio::test]
async fn either_digits_or_a_challenge_goes_with_a_video_and_neither_with_a_photo() {
    let service = Service::start(&[]).await;
    let id = text(&issue(&service, "").await["id"]).to_owned();
    let spoof = |field: (&str, &str)| {
        vec![Part::text("kind", "spoof"), Part::file("photo", &jpeg(100)), Part::text(field.0, field.1)]
    };
    let fields = [("kind", "video"), ("language", "en-US")];
    let with = |more: &[(&str, &str)]| video(&[&fields, more].concat());
    for (parts, code) in [
        (with(&[]), "MISSING_FIELD"),
        (with(&[("challenge", "123456"), ("challenge_id", &id)]), "INVALID_FIELD"),
        (with(&[("challenge_id", "123456")]), "INVALID_FIELD"),
        (spoof(("challenge_id", &id)), "INVALID_FIELD"),
    ] {
        let headers = [("X-Api-Key", service.key.as_str())];
        post(service.address, "/v2/verifications", &headers, &parts).await.expect_problem(400, code);
    }
    assert_eq!(read(&service, &id).await["state"], "open");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_replay_uses_up_nothing() {
    let service = Service::start(&[]).await;
    let id = text(&issue(&service, "").await["id"]).to_owned();
    let parts = video(&[("kind", "video"), ("language", "en-US"), ("challenge_id", &id)]);
    let headers = [("X-Api-Key", service.key.as_str()), ("Idempotency-Key", "a")];
    let first = post(service.address, "/v2/verifications", &headers, &parts).await;
    let second = post(service.address, "/v2/verifications", &headers, &parts).await;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    let id: VerificationId = text(&first.json()["id"]).parse().expect("an id");
    assert_eq!(standing(&service.verification(id).await.request), Some(Standing::Accepted));
}

/// Finishes every job as a worker would whose only finding is the challenge.
fn judge(service: &Service) {
    service.respond(|verification| {
        let mut report = reports::video();
        let reason = standing(&verification.request).and_then(Standing::reason);
        report.checks.push(Check {
            name: CheckName::Challenge,
            passed: reason.is_none(),
            score: None,
            threshold: None,
            reasons: reason.into_iter().map(str::to_owned).collect(),
        });
        report.verdict = Verdict::from_passed(reason.is_none());
        Outcome::Succeeded(Box::new(report))
    });
}

#[tokio::test]
async fn the_old_endpoint_takes_an_issued_challenge_beside_its_digits() {
    let service = Service::start(&[]).await;
    judge(&service);
    let challenge = issue(&service, "").await;
    let (id, digits) = (text(&challenge["id"]), text(&challenge["digits"]));
    let wrong = if digits == "000000" { "000001" } else { "000000" };
    let call = async |digits: &str, id: &str| {
        let fields = [("audiochallenge", digits), ("languageCode", "en-US"), ("challenge_id", id)];
        service.post("/v1.1/videoverify", &[video(&fields), vec![service.key_part()]].concat()).await
    };
    let verdict = |response: &Response| {
        assert_eq!(response.status, 200, "{response:?}");
        let verification = response.json()["predictions"]["verification"].clone();
        (
            verification["status"].as_bool().expect("a verdict"),
            verification["breakdown"]["audio_challenge_passed"].as_bool().expect("a check"),
        )
    };
    assert_eq!(verdict(&call(digits, id).await), (true, true));
    assert_eq!(verdict(&call(digits, id).await), (false, false), "it is used");
    let second = issue(&service, "").await;
    let other = if text(&second["digits"]) == wrong { "111111" } else { wrong };
    let response = call(other, text(&second["id"])).await;
    assert_eq!(verdict(&response), (false, false), "other digits");
    let verification: VerificationId =
        response.header("x-verification-id").expect("an id").parse().expect("an id");
    let request = service.verification(verification).await.request;
    assert_eq!(standing(&request), Some(Standing::Mismatch));
    assert_eq!(request.challenge.map(|digits| digits.to_string()).as_deref(), Some(other));
    call(digits, "none").await.expect_error(400, "INVALID_FIELD");
}
