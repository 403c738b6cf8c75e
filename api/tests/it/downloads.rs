//! Files as they came, for those who may see them.

use countersign_shared::domain::{Scope, VerificationId};

use crate::client::{Part, get, post, sent};
use crate::media::{jpeg, mp4};
use crate::service::Service;

/// A submitted video and card.
async fn submit(service: &Service) -> (VerificationId, Vec<u8>, Vec<u8>) {
    let (card, video) = (jpeg(5000), mp4(3_000_000));
    let parts = [
        Part::text("kind", "video"),
        Part::file("id_card", &card),
        Part::file("video", &video),
        Part::text("challenge", "012345"),
        Part::text("language", "en-US"),
    ];
    let response = post(service.address, "/v2/verifications", &[("X-Api-Key", &service.key)], &parts).await;
    assert_eq!(response.status, 202, "{response:?}");
    let id = response.json()["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    (id, card, video)
}

async fn download(
    service: &Service,
    id: VerificationId,
    role: &str,
    headers: &[(&str, &str)],
) -> (String, Vec<u8>) {
    let own = [("X-Api-Key", service.key.as_str()), ("Connection", "close")];
    let headers: Vec<_> = own.iter().chain(headers).copied().collect();
    let path = format!("/v2/verifications/{id}/media/{role}");
    sent(service.address, "GET", &path, &headers).await.receive_all().await
}

#[track_caller]
fn has(head: &str, lines: &[&str]) {
    for line in lines {
        assert!(head.lines().any(|known| known.eq_ignore_ascii_case(line)), "{line} is not in {head}");
    }
}

#[tokio::test]
async fn a_file_comes_as_it_was_sent() {
    let service = Service::start(&[]).await;
    let (id, card, video) = submit(&service).await;
    for (role, file, media_type, ending) in
        [("id_card", &card, "image/jpeg", "jpg"), ("video", &video, "video/mp4", "mp4")]
    {
        let (head, body) = download(&service, id, role, &[]).await;
        assert!(head.starts_with("HTTP/1.1 200 ") && body == *file, "{role}: {head}");
        has(
            &head,
            &[
                &format!("content-type: {media_type}"),
                &format!("content-length: {}", file.len()),
                &format!("content-disposition: attachment; filename=\"{id}-{role}.{ending}\""),
                "x-content-type-options: nosniff",
                "cache-control: private, no-store",
                "accept-ranges: bytes",
            ],
        );
    }
}

#[tokio::test]
async fn who_looks_at_a_file_is_audited() {
    let service = Service::start(&[]).await;
    let (id, ..) = submit(&service).await;
    download(&service, id, "photo", &[]).await;
    assert_eq!(service.audited(&id.to_string()).await, [], "a video has no photo");
    let (head, _) = download(&service, id, "id_card", &[]).await;
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    download(&service, id, "id_card", &[("If-None-Match", tag)]).await;
    let [entry] = &service.audited(&id.to_string()).await[..] else { panic!("one look") };
    assert_eq!((entry.action.as_str(), &entry.details["role"]), ("media.read", &"id_card".into()));
}

#[tokio::test]
async fn a_range_of_a_file_is_sent_alone() {
    let service = Service::start(&[]).await;
    let (id, _, video) = submit(&service).await;
    let (head, body) = download(&service, id, "video", &[("Range", "bytes=1000-1999")]).await;
    assert!(head.starts_with("HTTP/1.1 206 ") && body == video[1000..2000], "{head}");
    has(&head, &["content-range: bytes 1000-1999/3000000", "content-length: 1000"]);
    let (head, body) = download(&service, id, "video", &[("Range", "bytes=-10")]).await;
    assert!(head.starts_with("HTTP/1.1 206 ") && body == video[video.len() - 10..], "{head}");
    let (head, body) = download(&service, id, "video", &[("Range", "bytes=3000000-")]).await;
    assert!(head.starts_with("HTTP/1.1 200 ") && body.len() == video.len(), "{head}");
}

#[tokio::test]
async fn a_file_that_the_client_has_is_not_sent_again() {
    let service = Service::start(&[]).await;
    let (id, ..) = submit(&service).await;
    let (head, _) = download(&service, id, "id_card", &[]).await;
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).expect("a tag");
    let (head, body) = download(&service, id, "id_card", &[("If-None-Match", tag)]).await;
    assert!(head.starts_with("HTTP/1.1 304 ") && body.is_empty(), "{head}");
}

#[tokio::test]
async fn a_file_that_is_gone_or_never_was_is_not_found() {
    let service = Service::start(&[]).await;
    let (id, ..) = submit(&service).await;
    let key = [("X-Api-Key", service.key.as_str())];
    let ask =
        async |role: &str| get(service.address, &format!("/v2/verifications/{id}/media/{role}"), &key).await;
    for role in ["photo", "passport", "..", ""] {
        ask(role).await.expect_problem(404, "NOT_FOUND");
    }
    for file in service.files() {
        std::fs::remove_file(file).expect("removed, as by the reaper");
    }
    let gone = ask("video").await;
    gone.expect_problem(404, "NOT_FOUND");
    assert!(gone.body.contains("retention"), "{}", gone.body);
}

#[tokio::test]
async fn only_its_tenant_sees_a_file_and_with_the_scope() {
    let service = Service::start(&[]).await;
    let (id, ..) = submit(&service).await;
    let path = format!("/v2/verifications/{id}/media/video");
    let ask = async |key: &str| get(service.address, &path, &[("X-Api-Key", key)]).await;
    ask(&service.key_of_another_tenant().await).await.expect_problem(404, "NOT_FOUND");
    let reader = service.add_key(&[Scope::VerifyRead, Scope::VerifyWrite], None).await.0;
    ask(&reader).await.expect_problem(403, "FORBIDDEN");
    get(service.address, &path, &[]).await.expect_problem(401, "INVALID_API_KEY");
}
