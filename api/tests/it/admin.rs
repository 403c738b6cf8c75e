//! Tenants, keys and the audit log over HTTP.

use std::time::Duration;

use countersign_shared::domain::{KeyId, Scope, TenantId, Timestamp};
use serde_json::{Value, json};

use crate::client::{Response, get, get_streamed, send};
use crate::service::Service;

const TENANTS: &str = "/v2/admin/tenants";
const KEYS: &str = "/v2/admin/keys";
const AUDIT: &str = "/v2/admin/audit";

/// Whoever has the installation's key.
struct Administrator<'a>(&'a Service);

impl Administrator<'_> {
    async fn send(&self, method: &str, path: &str, body: Value) -> Response {
        send(self.0.address, method, path, &[("X-Api-Key", &self.0.key)], &body).await
    }

    async fn get(&self, path: &str) -> Response {
        get(self.0.address, path, &[("X-Api-Key", &self.0.key)]).await
    }

    async fn create(&self, path: &str, body: Value) -> Value {
        let made = self.send("POST", path, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        let resource = made.json();
        assert_eq!(made.header("location"), Some(format!("{path}/{}", id(&resource)).as_str()));
        resource
    }

    async fn actions(&self, query: &str) -> Vec<String> {
        let page = self.get(&format!("{AUDIT}?limit=100&{query}")).await.json();
        let entries = page["data"].as_array().expect("entries");
        entries.iter().map(|entry| entry["action"].as_str().expect("an action").to_owned()).collect()
    }
}

fn id(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

/// What a key is told that asks for the list.
async fn status_of(service: &Service, secret: &Value) -> u16 {
    let secret = secret.as_str().expect("a secret");
    get(service.address, "/v2/verifications", &[("X-Api-Key", secret)]).await.status
}

#[tokio::test]
async fn a_tenant_is_made_read_listed_and_told() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    let rate_limit = json!({"per_minute": 60, "burst": 5});
    let made = admin.create(TENANTS, json!({"name": " globex ", "rate_limit": rate_limit})).await;
    assert_eq!((&made["name"], &made["rate_limit"]), (&json!("globex"), &rate_limit));
    assert_eq!((&made["suspended_at"], &made["monthly_quota"]), (&Value::Null, &Value::Null));
    assert_eq!(admin.get(&format!("{TENANTS}/{}", id(&made))).await.json(), made);
    admin.send("POST", TENANTS, json!({"name": "globex"})).await.expect_problem(409, "CONFLICT");

    let first = admin.get(&format!("{TENANTS}?limit=1")).await.json();
    assert_eq!(first["data"], json!([made]));
    let cursor = first["next_cursor"].as_str().expect("there is another");
    let second = admin.get(&format!("{TENANTS}?limit=1&cursor={cursor}")).await.json();
    assert_eq!((&second["data"][0]["name"], &second["next_cursor"]), (&json!("acme"), &Value::Null));

    assert_eq!(admin.actions(&format!("tenant={}", id(&made))).await, ["tenant.created"]);
}

#[tokio::test]
async fn a_suspended_tenants_keys_are_refused_until_it_is_resumed() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    let tenant = admin.create(TENANTS, json!({"name": "globex"})).await;
    let key = admin.create(KEYS, json!({"tenant": id(&tenant), "scopes": ["verify:read"]})).await;
    let path = format!("{TENANTS}/{}", id(&tenant));
    for (suspended, status) in [(true, 403), (false, 200)] {
        let changed = admin.send("PATCH", &path, json!({"suspended": suspended})).await;
        assert_eq!((changed.status, changed.json()["suspended_at"].is_string()), (200, suspended));
        assert_eq!(status_of(&service, &key["secret"]).await, status);
        assert_eq!(admin.get(TENANTS).await.status, 200, "another tenant's are not");
    }
    let told = admin.actions(&format!("tenant={}", id(&tenant))).await;
    assert_eq!(told, ["tenant.resumed", "tenant.suspended", "key.created", "tenant.created"]);
}

#[tokio::test]
async fn a_keys_secret_is_shown_once_and_works_until_it_is_revoked() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    let wanted = json!({
        "tenant": service.tenant, "label": "till 1", "scopes": ["verify:read", "verify:read"],
        "expires_in": 3600, "monthly_quota": 7,
    });
    let made = admin.create(KEYS, wanted).await;
    let path = format!("{KEYS}/{}", id(&made));
    assert_eq!((&made["scopes"], &made["monthly_quota"]), (&json!(["verify:read"]), &json!(7)));
    assert!(made["expires_at"].is_string());
    assert_eq!(status_of(&service, &made["secret"]).await, 200);

    let secret = made["secret"].as_str().expect("a secret");
    let listed = admin.get(&format!("{KEYS}?tenant={}", service.tenant)).await;
    let read = admin.get(&path).await;
    assert_eq!(listed.json()["data"][0]["id"], made["id"]);
    assert!(!listed.body.contains(secret) && !read.body.contains(secret));
    assert_eq!(read.json()["secret"], Value::Null);

    for _ in 0..2 {
        assert_eq!(admin.send("DELETE", &path, json!({})).await.status, 204);
        assert_eq!(status_of(&service, &made["secret"]).await, 401);
    }
    assert!(admin.get(&path).await.json()["revoked_at"].is_string(), "it stays listed");
    assert_eq!(admin.actions("action=key.revoked").await, ["key.revoked"]);
}

#[tokio::test]
async fn a_rotated_key_and_its_successor_are_both_valid_for_a_while() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    let wanted = json!({"tenant": service.tenant, "label": "till 1", "scopes": ["verify:read"]});
    let old = admin.create(KEYS, wanted).await;
    let rotate = format!("{KEYS}/{}/rotate", id(&old));
    let first = admin.send("POST", &rotate, json!({"overlap": 3600})).await;
    assert_eq!(first.status, 201, "{first:?}");
    let new = first.json();
    for member in ["tenant", "label", "scopes", "expires_at", "rate_limit", "monthly_quota"] {
        assert_eq!(new[member], old[member], "{member}");
    }
    assert_eq!(status_of(&service, &old["secret"]).await, 200);
    assert_eq!(status_of(&service, &new["secret"]).await, 200);

    let rotate = format!("{KEYS}/{}/rotate", id(&new));
    let newest = admin.send("POST", &rotate, json!({"overlap": 0})).await.json();
    assert_eq!(status_of(&service, &new["secret"]).await, 401, "there is no overlap");
    assert_eq!(status_of(&service, &newest["secret"]).await, 200);
    admin.send("POST", &rotate, json!({})).await.expect_problem(409, "CONFLICT");
    admin.send("POST", &rotate, json!({"overlap": 3_000_000})).await.expect_problem(400, "INVALID_FIELD");
    let entries = service.audited(&id(&old)).await;
    assert_eq!(entries[0].details["successor"], new["id"]);
}

#[tokio::test]
async fn a_keys_limits_are_changed_and_taken_away() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    let (key, key_id) = service.add_key(&[Scope::VerifyRead], None).await;
    let key = json!(key);
    let path = format!("{KEYS}/{key_id}");
    let slow = json!({"rate_limit": {"per_minute": 1, "burst": 1}, "label": "slow"});
    let changed = admin.send("PATCH", &path, slow.clone()).await.json();
    assert_eq!((&changed["rate_limit"], &changed["label"]), (&slow["rate_limit"], &json!("slow")));
    assert_eq!([status_of(&service, &key).await, status_of(&service, &key).await], [200, 429]);
    let freed = admin.send("PATCH", &path, json!({"rate_limit": null})).await.json();
    assert_eq!((&freed["rate_limit"], &freed["label"]), (&Value::Null, &json!("slow")));
    assert_eq!([status_of(&service, &key).await, status_of(&service, &key).await], [200, 200]);
    assert_eq!(admin.actions("action=key.changed").await.len(), 2);
}

#[tokio::test]
async fn what_can_not_be_read_is_refused_with_its_member() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    let key = |more: Value| {
        let mut body = json!({"tenant": service.tenant, "scopes": ["verify:read"]});
        body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        body
    };
    let refused = [
        (TENANTS, json!({}), "MISSING_FIELD", "name"),
        (TENANTS, json!({"name": " "}), "INVALID_FIELD", "name"),
        (TENANTS, json!({"name": "a\nb"}), "INVALID_FIELD", "name"),
        (TENANTS, json!({"name": "x".repeat(101)}), "INVALID_FIELD", "name"),
        (TENANTS, json!({"name": "x", "colour": "red"}), "INVALID_FIELD", "colour"),
        (TENANTS, json!({"name": "x", "monthly_quota": -1}), "INVALID_FIELD", "-1"),
        (TENANTS, json!([1]), "INVALID_FIELD", "body"),
        (KEYS, json!({"scopes": ["admin"]}), "MISSING_FIELD", "tenant"),
        (KEYS, key(json!({"tenant": TenantId::new()})), "INVALID_FIELD", "tenant"),
        (KEYS, key(json!({"tenant": "acme"})), "INVALID_FIELD", "ten_"),
        (KEYS, key(json!({"scopes": []})), "INVALID_FIELD", "scopes"),
        (KEYS, key(json!({"scopes": ["root"]})), "INVALID_FIELD", "root"),
        (KEYS, key(json!({"expires_in": 0})), "INVALID_FIELD", "expires_in"),
        (KEYS, key(json!({"label": "x".repeat(201)})), "INVALID_FIELD", "label"),
        (KEYS, key(json!({"rate_limit": {"per_minute": 0, "burst": 1}})), "INVALID_FIELD", "rate_limit"),
        (KEYS, key(json!({"rate_limit": {"per_minute": 1}})), "MISSING_FIELD", "burst"),
        (KEYS, key(json!({"label": "x".repeat(70_000)})), "INVALID_FIELD", "65536"),
    ];
    for (path, body, code, member) in refused {
        let response = admin.send("POST", path, body.clone()).await;
        response.expect_problem(400, code);
        let detail = response.json()["detail"].as_str().expect("a sentence").to_owned();
        assert!(detail.contains(member), "{detail}");
    }
    for path in [
        format!("{TENANTS}/{}", TenantId::new()),
        format!("{KEYS}/{}", KeyId::new()),
        format!("{KEYS}/nonsense"),
    ] {
        admin.get(&path).await.expect_problem(404, "NOT_FOUND");
        admin.send("PATCH", &path, json!({})).await.expect_problem(404, "NOT_FOUND");
    }
    admin
        .send("DELETE", &format!("{KEYS}/{}", KeyId::new()), json!({}))
        .await
        .expect_problem(404, "NOT_FOUND");
    for query in ["limit=0", "limit=101", "cursor=x", "tenant=x", "colour=red"] {
        admin.get(&format!("{KEYS}?{query}")).await.expect_problem(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn the_audit_log_is_read_by_page_and_filter() {
    let service = Service::start(&[]).await;
    let admin = Administrator(&service);
    // Times have milliseconds: what was before and what comes after must not be of the same one.
    tokio::time::sleep(Duration::from_millis(2)).await;
    let before = Timestamp::now();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let tenant = admin.create(TENANTS, json!({"name": "globex"})).await;
    let key = admin.create(KEYS, json!({"tenant": id(&tenant), "scopes": ["admin"]})).await;
    let page = admin.get(&format!("{AUDIT}?limit=1&from={before}")).await.json();
    let entry = &page["data"][0];
    assert_eq!((&entry["action"], &entry["resource"]), (&json!("key.created"), &key["id"]));
    assert_eq!((&entry["tenant"], &entry["details"]["scopes"]), (&tenant["id"], &json!(["admin"])));
    assert!(entry["actor"].as_str().is_some_and(|actor| actor.starts_with("key_")), "{entry}");
    assert!(entry["at"].as_str().is_some_and(|at| at.parse::<Timestamp>().is_ok_and(|at| at >= before)));
    let cursor = page["next_cursor"].as_str().expect("there is another");
    let next = admin.get(&format!("{AUDIT}?limit=1&from={before}&cursor={cursor}")).await.json();
    assert_eq!((&next["data"][0]["action"], &next["next_cursor"]), (&json!("tenant.created"), &Value::Null));
    assert_eq!(admin.actions(&format!("until={before}&action=tenant.created")).await.len(), 1, "acme");
    for query in ["from=yesterday", "until=1", "tenant=x", "format=xml", "colour=red"] {
        admin.get(&format!("{AUDIT}?{query}")).await.expect_problem(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn the_whole_audit_log_is_exported_as_lines() {
    const KEYS_MADE: usize = 1100;
    let service = Service::start(&[]).await;
    for _ in 0..KEYS_MADE {
        service.add_key(&[Scope::VerifyRead], None).await;
    }
    let headers = [("X-Api-Key", service.key.as_str()), ("Accept", "application/x-ndjson")];
    let exported = get_streamed(service.address, AUDIT, &headers).await;
    assert_eq!((exported.status, exported.header("content-type")), (200, Some("application/x-ndjson")));
    let lines: Vec<Value> =
        exported.body.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    // The service's own key and tenant besides.
    assert_eq!(lines.len(), KEYS_MADE + 2);
    let ids: std::collections::BTreeSet<String> = lines.iter().map(id).collect();
    assert_eq!(ids.len(), lines.len(), "each once");
    assert!(ids.into_iter().rev().eq(lines.iter().map(id)), "newest first");
    let filtered = format!("{AUDIT}?format=jsonl&action=tenant.created");
    let filtered = get_streamed(service.address, &filtered, &headers[..1]).await;
    assert_eq!(filtered.body.lines().count(), 1);
}
