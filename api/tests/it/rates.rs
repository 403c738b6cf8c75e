//! How often a key may call.

use countersign_shared::domain::{KeyLimits, RateLimit, Scope};

use crate::client::{Part, Response, get, post};
use crate::media::jpeg;
use crate::service::Service;

const PATH: &str = "/v2/verifications";

/// Slow enough that nothing is given back during a test.
const SLOW: KeyLimits =
    KeyLimits { rate_limit: Some(RateLimit { per_minute: 1, burst: 2 }), monthly_quota: None };

fn standing(response: &Response) -> [Option<u32>; 3] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"]
        .map(|name| response.header(name).map(|value| value.parse().expect("a number")))
}

#[tokio::test]
async fn a_key_that_calls_too_often_is_told_when_to_come_back() {
    let service = Service::start(&[]).await;
    let (key, _) = service.add_limited_key(service.tenant, Scope::ALL, None, SLOW).await;
    let call = async |path: &str| get(service.address, path, &[("X-Api-Key", &key)]).await;
    let first = call(PATH).await;
    assert_eq!((first.status, standing(&first)), (200, [Some(2), Some(1), Some(60)]));
    let second = call(&format!("{PATH}/ver_unknown")).await;
    assert_eq!((second.status, &standing(&second)[..2]), (404, &[Some(2), Some(0)][..]));
    let third = call(PATH).await;
    third.expect_problem(429, "RATE_LIMITED");
    assert_eq!(standing(&third)[..2], [Some(2), Some(0)]);
    let wait: u32 = third.header("retry-after").and_then(|wait| wait.parse().ok()).expect("seconds");
    assert!((30..=60).contains(&wait), "{wait}");
}

#[tokio::test]
async fn a_key_is_not_held_up_by_another_and_one_without_a_limit_by_nothing() {
    let service = Service::start(&[]).await;
    let (first, _) = service.add_limited_key(service.tenant, Scope::ALL, None, SLOW).await;
    let (second, _) = service.add_limited_key(service.tenant, Scope::ALL, None, SLOW).await;
    for (key, expected) in [(&first, 200), (&first, 200), (&first, 429), (&second, 200)] {
        assert_eq!(get(service.address, PATH, &[("X-Api-Key", key)]).await.status, expected);
    }
    for _ in 0..50 {
        let response = get(service.address, PATH, &[("X-Api-Key", &service.key)]).await;
        assert_eq!((response.status, standing(&response)), (200, [None; 3]));
    }
}

#[tokio::test]
async fn the_settings_limit_counts_for_keys_without_one() {
    let settings = [("LIMITS__RATE_PER_MINUTE", "1"), ("LIMITS__RATE_BURST", "1")];
    let service = Service::start(&settings).await;
    let (own, _) = service.add_limited_key(service.tenant, Scope::ALL, None, SLOW).await;
    for (key, expected) in [(&service.key, 200), (&service.key, 429), (&own, 200), (&own, 200), (&own, 429)] {
        assert_eq!(get(service.address, PATH, &[("X-Api-Key", key)]).await.status, expected);
    }
}

#[tokio::test]
async fn a_forbidden_call_is_a_call() {
    let service = Service::start(&[]).await;
    let (key, _) = service.add_limited_key(service.tenant, &[Scope::VerifyWrite], None, SLOW).await;
    for expected in [403, 403, 429] {
        let response = get(service.address, PATH, &[("X-Api-Key", &key)]).await;
        assert_eq!((response.status, standing(&response)[0]), (expected, Some(2)));
    }
}

#[tokio::test]
async fn an_old_client_is_refused_in_its_own_words_and_nothing_is_kept() {
    let service = Service::working(&[]).await;
    let (key, _) = service.add_limited_key(service.tenant, Scope::ALL, None, SLOW).await;
    let in_form = [Part::text("api_key", &key), Part::file("photo", &jpeg(2000))];
    assert_eq!(service.post("/v1.1/spoofdetect", &in_form).await.status, 200);
    let header = [("X-Api-Key", key.as_str())];
    let with_header = post(service.address, "/v1.1/spoofdetect", &header, &in_form[1..]).await;
    assert_eq!(with_header.status, 200);
    let stored = service.files().len();
    for refused in [
        service.post("/v1.1/spoofdetect", &in_form).await,
        post(service.address, "/v1.1/spoofdetect", &header, &in_form[1..]).await,
    ] {
        refused.expect_error(429, "RATE_LIMITED");
        assert!(refused.header("retry-after").is_some());
    }
    assert_eq!(service.files().len(), stored);
}
