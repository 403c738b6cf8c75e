//! API keys at the front door: missing, wrong, revoked, expired, in a header.

use crate::client::Parts;
use crate::service::Service;

fn spoof_parts() -> Parts {
    Parts::new().file("photo", "selfie.jpg")
}

#[tokio::test]
async fn a_call_without_a_key_is_refused() {
    Service::shared().post("spoofdetect", spoof_parts()).await.assert_error(401, "INVALID_API_KEY");
}

#[tokio::test]
async fn a_call_with_a_wrong_key_is_refused() {
    let service = Service::shared();
    let mut almost = service.key.clone();
    let last = almost.pop().expect("a key is not empty");
    almost.push(if last == 'a' { 'b' } else { 'a' });
    for key in ["YOUR_API_KEY", &almost, "'; DROP TABLE api_keys; --"] {
        let answer = service.post("spoofdetect", spoof_parts().text("api_key", key)).await;
        answer.assert_error(401, "INVALID_API_KEY");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_and_a_listed_key_is_not_shown() {
    let service = Service::shared();
    let key = service.folder.create_key(&["--label", "to be revoked"]);
    let call = async || service.post("spoofdetect", spoof_parts().text("api_key", &key)).await;
    assert!(call().await.passed());

    let listed = service.folder.countersign(&["keys", "list"]);
    let listed = String::from_utf8(listed.stdout).expect("text");
    assert!(!listed.contains(&key), "a key is shown once");
    let line =
        listed.lines().find(|line| line.contains("to be revoked")).unwrap_or_else(|| panic!("{listed}"));
    let id =
        line.split_whitespace().find(|word| word.starts_with("key_")).unwrap_or_else(|| panic!("{line}"));
    let revoked = service.folder.countersign(&["keys", "revoke", id]);
    assert!(revoked.status.success(), "{}", String::from_utf8_lossy(&revoked.stderr));

    call().await.assert_error(401, "INVALID_API_KEY");
}

#[tokio::test]
async fn an_expired_key_is_refused() {
    let service = Service::shared();
    let key = service.folder.create_key(&["--label", "short", "--expires-in", "1s"]);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let answer = service.post("spoofdetect", spoof_parts().text("api_key", &key)).await;
    answer.assert_error(401, "INVALID_API_KEY");
}

#[tokio::test]
async fn a_key_of_another_scope_is_forbidden() {
    let service = Service::shared();
    let key = service.folder.create_key(&["--scope", "verify:read"]);
    let answer = service.post("spoofdetect", spoof_parts().text("api_key", &key)).await;
    answer.assert_error(403, "FORBIDDEN");
}

#[tokio::test]
async fn another_tenant_does_not_see_a_verification() {
    let service = Service::shared();
    let id = service.spoof("selfie.jpg").await.header("X-Verification-Id").to_owned();
    assert_eq!(service.get(&format!("/v2/verifications/{id}")).await.status, 200);

    let stranger = service.with_key(service.folder.create_key(&["--tenant", "stranger"]));
    assert_eq!(stranger.get(&format!("/v2/verifications/{id}")).await.status, 404);
}

#[tokio::test]
async fn a_key_in_a_header_is_accepted() {
    let service = Service::shared();
    for header in [format!("Authorization: Bearer {}", service.key), format!("X-Api-Key: {}", service.key)] {
        let photo = format!("photo=@{}", crate::media::path("selfie.jpg").display());
        let url = format!("{}/v1.1/spoofdetect", service.url);
        let curl = std::process::Command::new("curl")
            .args(["--silent", "--fail", "--header", &header, "-F", &photo, &url])
            .output()
            .expect("curl runs");
        assert!(curl.status.success(), "{header}");
    }
}
