//! Those who call an installation of fake workers, and what they are told.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::client::http;

/// What a caller was told. An identifier that was told is a promise.
#[derive(Debug)]
pub(crate) enum Told {
    /// The result, with the number that it is about.
    Result { id: String, number: u64 },
    /// It is accepted, and the result will be there later.
    Accepted { id: String },
    /// Not now (503).
    Refused { retry_after: Option<u64>, code: String },
    /// The connection broke, or there was none.
    Nothing,
    /// Anything else.
    Odd(String),
}

#[derive(Clone)]
pub(crate) struct Caller {
    http: reqwest::Client,
    key: String,
}

impl Caller {
    pub(crate) fn new(key: &str) -> Self {
        Self { http: http(Duration::from_secs(40)), key: key.to_owned() }
    }

    /// The documented synchronous call.
    pub(crate) async fn spoofdetect(&self, url: &str, number: u64) -> Told {
        let form = Form::new().text("api_key", self.key.clone()).part("photo", photo(number));
        told(self.http.post(format!("{url}/v1.1/spoofdetect")).multipart(form)).await
    }

    /// The asynchronous call, into the lane `interactive` or `batch`.
    pub(crate) async fn submit(&self, url: &str, lane: &'static str, number: u64) -> Told {
        let form = Form::new().text("kind", "spoof").text("lane", lane).part("photo", photo(number));
        told(self.http.post(format!("{url}/v2/verifications")).bearer_auth(&self.key).multipart(form)).await
    }
}

/// What a fake worker reads its number from.
fn photo(number: u64) -> Part {
    let mut bytes = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\x00".to_vec();
    bytes.extend_from_slice(number.to_string().as_bytes());
    Part::bytes(bytes).file_name("photo.jpg")
}

async fn told(request: reqwest::RequestBuilder) -> Told {
    let Ok(response) = request.send().await else { return Told::Nothing };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    // A broken body says nothing, but an identifier in the head was told.
    let body: Option<Value> = response.json().await.ok();
    let id = text(&headers, "X-Verification-Id");
    match (status, id, body) {
        (200, Some(id), Some(body)) => match body["predictions"]["metadata"]["num_faces"].as_u64() {
            Some(number) => Told::Result { id, number },
            None => Told::Odd(format!("200 {body}")),
        },
        (200 | 202 | 503 | 504, Some(id), _) => Told::Accepted { id },
        (503, None, Some(body)) => {
            let retry_after = text(&headers, "Retry-After").and_then(|text| text.parse().ok());
            let code = body["error"].as_str().or(body["code"].as_str()).unwrap_or_default().to_owned();
            Told::Refused { retry_after, code }
        }
        (503, None, None) => Told::Nothing,
        (status, id, body) => Told::Odd(format!("{status} {id:?} {body:?}")),
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}
