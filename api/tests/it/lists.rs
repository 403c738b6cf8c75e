//! Lists: filters, and cursors that belong to one list.

use countersign_shared::domain::{Timestamp, VerificationId};
use serde_json::{Value, json};

use crate::client::{Response, get};
use crate::service::Service;

async fn list(service: &Service, query: &str) -> Response {
    let path = format!("/v2/verifications?{query}");
    get(service.address, &path, &[("X-Api-Key", &service.key)]).await
}

fn ids(page: &Value) -> Vec<VerificationId> {
    let data = page["data"].as_array().expect("a list");
    data.iter().map(|item| item["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")).collect()
}

#[tokio::test]
async fn a_list_is_filtered_by_state_kind_and_time() {
    let service = Service::start(&[]).await;
    let (queued, processing, succeeded) =
        (service.accept().await, service.accept().await, service.accept().await);
    service.claim(processing).await;
    service.finish(&service.claim(succeeded).await).await;
    let time = |time: Timestamp| time.to_string();
    let later = Timestamp::from_millis(succeeded.created_at().as_millis() + 1);
    for (query, expected) in [
        ("state=queued".to_owned(), vec![queued]),
        ("state=processing".to_owned(), vec![processing]),
        ("state=succeeded".to_owned(), vec![succeeded]),
        ("state=failed".to_owned(), vec![]),
        ("kind=spoof".to_owned(), vec![succeeded, processing, queued]),
        ("kind=photo".to_owned(), vec![]),
        ("kind=spoof&state=queued".to_owned(), vec![queued]),
        (format!("created_after={}", time(queued.created_at())), vec![succeeded, processing, queued]),
        (format!("created_before={}", time(later)), vec![succeeded, processing, queued]),
        (format!("created_before={}", time(queued.created_at())), vec![]),
        (format!("created_after={}", time(later)), vec![]),
    ] {
        let page = list(&service, &query).await.json();
        assert_eq!((ids(&page), &page["next_cursor"]), (expected, &Value::Null), "{query}");
        assert_eq!(page["unreadable"], json!([]));
    }
    for wrong in ["state=done", "kind=face", "created_after=yesterday", "created_before=1", "verdict=passed"]
    {
        list(&service, wrong).await.expect_problem(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_one_list() {
    let service = Service::start(&[]).await;
    let mut newest_first = Vec::new();
    for _ in 0..3 {
        newest_first.insert(0, service.accept().await);
    }
    let first = list(&service, "limit=2&state=queued").await.json();
    assert_eq!(ids(&first), newest_first[..2]);
    let cursor = first["next_cursor"].as_str().expect("there is more").to_owned();
    let second = list(&service, &format!("limit=1&state=queued&cursor={cursor}")).await.json();
    assert_eq!((ids(&second), &second["next_cursor"]), (newest_first[2..].to_vec(), &Value::Null));

    let mut changed = cursor.clone();
    let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
    changed.push(last);
    for wrong in [
        format!("cursor={cursor}"),
        format!("state=failed&cursor={cursor}"),
        format!("state=queued&kind=spoof&cursor={cursor}"),
        format!("state=queued&cursor={changed}"),
        format!("state=queued&cursor={}", newest_first[0]),
        "state=queued&cursor=".to_owned(),
    ] {
        list(&service, &wrong).await.expect_problem(400, "INVALID_FIELD");
    }
    let other = service.key_of_another_tenant().await;
    let path = format!("/v2/verifications?state=queued&cursor={cursor}");
    let stolen = get(service.address, &path, &[("X-Api-Key", &other)]).await;
    stolen.expect_problem(400, "INVALID_FIELD");
}
