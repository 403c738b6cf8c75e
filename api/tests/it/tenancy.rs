//! Two tables: every operation on a tenant's resource with another tenant's key, and every operation with a key that lacks
//! its scope. A new operation is a line in each.

use countersign_shared::domain::{KeyId, Scope, TenantId, VerificationId};
use serde_json::{Value, json};

use crate::client::{Part, get, post, request, send};
use crate::media::jpeg;
use crate::service::Service;

/// Operations that take the id of a tenant's resource.
const ON_A_RESOURCE: &[(&str, &str)] = &[
    ("GET", "/v2/verifications/{id}"),
    ("GET", "/v2/verifications/{id}?wait=1"),
    ("POST", "/v2/verifications/{id}/cancel"),
    ("DELETE", "/v2/verifications/{id}"),
    ("GET", "/v2/verifications/{id}/events"),
    ("GET", "/v2/verifications/{id}/media/photo"),
    ("GET", "/v2/verifications/{id}/reviews"),
    ("GET", "/v2/verifications/{id}/deliveries"),
    ("POST", "/v2/verifications/{id}/review"),
    ("GET", "/v2/challenges/{challenge}"),
    ("GET", "/v2/webhooks/{webhook}"),
    ("PATCH", "/v2/webhooks/{webhook}"),
    ("DELETE", "/v2/webhooks/{webhook}"),
    ("POST", "/v2/webhooks/{webhook}/rotate"),
    ("POST", "/v2/webhooks/{webhook}/test"),
    ("GET", "/v2/webhooks/{webhook}/deliveries"),
    ("POST", "/v2/webhooks/{webhook}/deliveries/{delivery}/redeliver"),
];

/// Every operation that needs a key, with the scope that it asks for.
const OPERATIONS: &[(&str, &str, Scope)] = &[
    ("POST", "/v2/verifications", Scope::VerifyWrite),
    ("GET", "/v2/verifications", Scope::VerifyRead),
    ("GET", "/v2/verifications/{id}", Scope::VerifyRead),
    ("DELETE", "/v2/verifications/{id}", Scope::VerifyWrite),
    ("POST", "/v2/verifications/{id}/cancel", Scope::VerifyWrite),
    ("GET", "/v2/verifications/{id}/events", Scope::VerifyRead),
    ("GET", "/v2/verifications/{id}/media/photo", Scope::MediaRead),
    ("GET", "/v2/verifications/{id}/reviews", Scope::VerifyRead),
    ("GET", "/v2/verifications/{id}/deliveries", Scope::WebhookWrite),
    ("POST", "/v2/verifications/{id}/review", Scope::ReviewWrite),
    ("POST", "/v2/challenges", Scope::VerifyWrite),
    ("GET", "/v2/challenges/{challenge}", Scope::VerifyRead),
    ("GET", "/v2/usage", Scope::VerifyRead),
    ("GET", "/v2/webhooks", Scope::WebhookWrite),
    ("POST", "/v2/webhooks", Scope::WebhookWrite),
    ("GET", "/v2/webhooks/{webhook}", Scope::WebhookWrite),
    ("PATCH", "/v2/webhooks/{webhook}", Scope::WebhookWrite),
    ("DELETE", "/v2/webhooks/{webhook}", Scope::WebhookWrite),
    ("POST", "/v2/webhooks/{webhook}/rotate", Scope::WebhookWrite),
    ("POST", "/v2/webhooks/{webhook}/test", Scope::WebhookWrite),
    ("GET", "/v2/webhooks/{webhook}/deliveries", Scope::WebhookWrite),
    ("POST", "/v2/webhooks/{webhook}/deliveries/{delivery}/redeliver", Scope::WebhookWrite),
    ("POST", "/v2/webhooks/secret/rotate", Scope::WebhookWrite),
    ("GET", "/v2/admin/audit", Scope::Admin),
    ("GET", "/v2/admin/keys", Scope::Admin),
    ("POST", "/v2/admin/keys", Scope::Admin),
    ("GET", "/v2/admin/keys/{key}", Scope::Admin),
    ("PATCH", "/v2/admin/keys/{key}", Scope::Admin),
    ("DELETE", "/v2/admin/keys/{key}", Scope::Admin),
    ("POST", "/v2/admin/keys/{key}/rotate", Scope::Admin),
    ("GET", "/v2/admin/tenants", Scope::Admin),
    ("POST", "/v2/admin/tenants", Scope::Admin),
    ("GET", "/v2/admin/tenants/{tenant}", Scope::Admin),
    ("PATCH", "/v2/admin/tenants/{tenant}", Scope::Admin),
];

struct Resources {
    verification: VerificationId,
    challenge: String,
    webhook: String,
    delivery: String,
    key: KeyId,
    tenant: TenantId,
}

impl Resources {
    async fn of(service: &Service) -> Self {
        let parts = [Part::text("kind", "spoof"), Part::file("photo", &jpeg(2000))];
        let submitted =
            post(service.address, "/v2/verifications", &[("X-Api-Key", &service.key)], &parts).await;
        let verification = submitted.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
        let make = async |path: &str, body: Value| {
            let made = send(service.address, "POST", path, &[("X-Api-Key", &service.key)], &body).await;
            made.json()["id"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
        };
        let challenge = make("/v2/challenges", json!({})).await;
        let webhook = make("/v2/webhooks", json!({"url": "https://receiver.example/events"})).await;
        let delivery = make(&format!("/v2/webhooks/{webhook}/test"), json!({})).await;
        let (_, key) = service.add_key(Scope::ALL, None).await;
        Self { verification, challenge, webhook, delivery, key, tenant: service.tenant }
    }

    fn path(&self, pattern: &str) -> String {
        pattern
            .replace("{id}", &self.verification.to_string())
            .replace("{challenge}", &self.challenge)
            .replace("{webhook}", &self.webhook)
            .replace("{delivery}", &self.delivery)
            .replace("{key}", &self.key.to_string())
            .replace("{tenant}", &self.tenant.to_string())
    }

    /// Everything that an operation could have changed.
    async fn state(&self, service: &Service) -> (Vec<Value>, usize, usize) {
        let mut read = Vec::new();
        for pattern in [
            "/v2/verifications/{id}",
            "/v2/verifications/{id}/reviews",
            "/v2/challenges/{challenge}",
            "/v2/webhooks/{webhook}",
            "/v2/webhooks/{webhook}/deliveries",
        ] {
            let path = self.path(pattern);
            read.push(get(service.address, &path, &[("X-Api-Key", &service.key)]).await.json());
        }
        let key = service.stores.keys.key(self.key).await.expect("the key");
        let tenant = service.stores.tenants.tenant(self.tenant).await.expect("the tenant");
        assert!(key.revoked_at.is_none() && key.expires_at.is_none() && tenant.suspended_at.is_none());
        (read, service.files().len(), service.audited(&self.verification.to_string()).await.len())
    }
}

#[tokio::test]
async fn another_tenants_resource_does_not_exist_for_any_operation() {
    let service = Service::start(&[]).await;
    let resources = Resources::of(&service).await;
    let stranger = service.tenant_named("stranger").await;
    let (key, _) = service.add_key_of(stranger, Scope::ALL, None).await;
    let before = resources.state(&service).await;
    for (method, pattern) in ON_A_RESOURCE {
        let path = resources.path(pattern);
        let key = [("X-Api-Key", key.as_str())];
        let response = if pattern.ends_with("/review") {
            let review = json!({"decision": "approved"});
            send(service.address, method, &path, &key, &review).await
        } else {
            request(service.address, method, &path, &key).await
        };
        assert_eq!(response.status, 404, "{method} {pattern}: {response:?}");
        response.expect_problem(404, "NOT_FOUND");
        assert_eq!(resources.state(&service).await, before, "{method} {pattern}");
    }
}

#[tokio::test]
async fn every_operation_needs_a_key_with_its_scope() {
    let service = Service::start(&[]).await;
    let resources = Resources::of(&service).await;
    let before = resources.state(&service).await;
    for (method, pattern, scope) in OPERATIONS {
        let path = resources.path(pattern);
        let others: Vec<Scope> = Scope::ALL.iter().copied().filter(|other| other != scope).collect();
        let (key, _) = service.add_key(&others, None).await;
        let response = request(service.address, method, &path, &[("X-Api-Key", &key)]).await;
        assert_eq!(response.status, 403, "{method} {pattern}: {response:?}");
        response.expect_problem(403, "FORBIDDEN");
        let keyless = request(service.address, method, &path, &[]).await;
        assert_eq!(keyless.status, 401, "{method} {pattern}: {keyless:?}");
        assert_eq!(resources.state(&service).await, before, "{method} {pattern}");
    }
}
