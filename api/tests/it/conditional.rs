//! Entity tags: what has not changed is not sent again.

use crate::client::{Response, get, sent};
use crate::service::Service;

async fn read(service: &Service, path: &str, known: Option<&str>) -> Response {
    let own = [("X-Api-Key", service.key.as_str())];
    let known = known.map(|tag| ("If-None-Match", tag));
    let headers: Vec<_> = own.into_iter().chain(known).collect();
    get(service.address, path, &headers).await
}

fn tag(response: &Response) -> String {
    response.header("etag").expect("a tag").to_owned()
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again_and_every_change_is() {
    let service = Service::start(&[]).await;
    let id = service.accept().await;
    let path = format!("/v2/verifications/{id}");
    let mut tags = Vec::new();
    let check = async |tags: &mut Vec<String>| {
        let response = read(&service, &path, tags.last().map(String::as_str)).await;
        assert_eq!((response.status, response.header("cache-control")), (200, Some("private, no-cache")));
        let tag = tag(&response);
        assert!(tag.starts_with('"') && !tags.contains(&tag), "{tag}: {tags:?}");
        let again = read(&service, &path, Some(&tag)).await;
        assert_eq!((again.status, again.body.as_str(), again.header("etag")), (304, "", Some(tag.as_str())));
        tags.push(tag);
    };
    check(&mut tags).await;
    let lease = service.claim(id).await;
    check(&mut tags).await;
    service.finish(&lease).await;
    check(&mut tags).await;
    let key = [("X-Api-Key", service.key.as_str())];
    let decision = crate::reviews::review(&service, id, r#"{"decision": "approved"}"#, &key).await;
    assert_eq!(decision.status, 201, "{decision:?}");
    check(&mut tags).await;
}

#[tokio::test]
async fn a_wait_that_ends_without_a_change_sends_nothing() {
    let service = Service::start(&[]).await;
    let path = format!("/v2/verifications/{}", service.accept().await);
    let tag = tag(&read(&service, &path, None).await);
    assert_eq!(read(&service, &format!("{path}?wait=0"), Some(&tag)).await.status, 304);
}

#[tokio::test]
async fn head_tells_what_get_would_and_sends_no_body() {
    let service = Service::start(&[]).await;
    let path = format!("/v2/verifications/{}", service.accept().await);
    let response = read(&service, &path, None).await;
    let headers = [("X-Api-Key", service.key.as_str()), ("Connection", "close")];
    let (head, body) = sent(service.address, "HEAD", &path, &headers).await.receive_all().await;
    assert!(head.starts_with("HTTP/1.1 200 ") && body.is_empty(), "{head}");
    for line in [format!("etag: {}", tag(&response)), format!("content-length: {}", response.body.len())] {
        assert!(head.contains(&line), "{line} is not in {head}");
    }
}
