//! A client that can do what the documented ones can't: any part order, any bytes, and a look at the headers.

use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::Value;

use crate::media;
use crate::service::Service;

const PATIENCE: Duration = Duration::from_mins(3);

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// `predictions` of a success.
    pub(crate) fn predictions(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        let json = self.json();
        assert_eq!(json["success"], true, "{json:#}");
        json["predictions"].clone()
    }

    /// The verdict of a success.
    pub(crate) fn passed(&self) -> bool {
        self.predictions()["verification"]["status"].as_bool().expect("a verdict")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .unwrap_or_else(|| panic!("no {name}: {:?}", self.headers))
            .to_str()
            .expect("text")
    }

    /// The body is the error's code and nothing else; the sentence is in a header.
    pub(crate) fn assert_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.text.as_str()), (status, &*format!(r#"{{"error":"{code}"}}"#)));
        assert!(!self.header("X-Error-Detail").is_empty());
    }
}

/// A multipart form; parts are sent in the order in which they were added.
pub(crate) struct Parts(Form);

impl Parts {
    pub(crate) fn new() -> Self {
        Self(Form::new())
    }

    pub(crate) fn text(self, name: &str, value: &str) -> Self {
        Self(self.0.text(name.to_owned(), value.to_owned()))
    }

    /// A sample file under its own name, without a content type.
    pub(crate) fn file(self, name: &str, sample: &str) -> Self {
        self.part(name, Part::bytes(media::bytes(sample)).file_name(sample.to_owned()))
    }

    pub(crate) fn part(self, name: &str, part: Part) -> Self {
        Self(self.0.part(name.to_owned(), part))
    }
}

impl Service {
    /// Posts the parts with the service's key in front of them.
    pub(crate) async fn verify(&self, endpoint: &str, parts: Parts) -> Answer {
        self.post(endpoint, parts.text("api_key", &self.key)).await
    }

    /// Posts the parts as they are.
    pub(crate) async fn post(&self, endpoint: &str, parts: Parts) -> Answer {
        let url = format!("{}/v1.1/{endpoint}", self.url);
        read(http(PATIENCE).post(url).multipart(parts.0).send().await).await
    }

    pub(crate) async fn photo(&self, id_card: &str, photo: &str) -> Answer {
        self.verify("photoverify", Parts::new().file("id_card", id_card).file("photo", photo)).await
    }

    pub(crate) async fn spoof(&self, photo: &str) -> Answer {
        self.verify("spoofdetect", Parts::new().file("photo", photo)).await
    }

    /// The sample card against a video in which `digits` should be spoken in English.
    pub(crate) async fn video(&self, video: &str, digits: &str) -> Answer {
        let parts = Parts::new().file("id_card", "id_card.jpg").file("video", video);
        let parts = parts.text("audiochallenge", digits).text("languageCode", "en-US");
        self.verify("videoverify", parts).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        read(http(PATIENCE).get(format!("{}{path}", self.url)).bearer_auth(&self.key).send().await).await
    }

    /// The checks that failed of what was answered.
    pub(crate) async fn failed_checks(&self, answer: &Answer) -> Vec<Value> {
        let id = answer.header("X-Verification-Id");
        let verification = self.get(&format!("/v2/verifications/{id}")).await.json();
        let checks = verification["checks"].as_array().expect("a list");
        checks.iter().filter(|check| check["passed"] == false).cloned().collect()
    }

    /// The verification once it has finished.
    pub(crate) async fn finished(&self, id: &str, within: Duration) -> Value {
        let deadline = tokio::time::Instant::now() + within;
        loop {
            let verification = self.get(&format!("/v2/verifications/{id}")).await.json();
            if !matches!(verification["state"].as_str(), Some("queued" | "processing")) {
                return verification;
            }
            assert!(tokio::time::Instant::now() < deadline, "{id} is still {}", verification["state"]);
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn read(response: Result<reqwest::Response, reqwest::Error>) -> Answer {
    let response = response.expect("an answer");
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Answer { status, headers, text: response.text().await.expect("a body") }
}

/// Plain HTTP; the builder wants a TLS provider all the same.
pub(crate) fn http(patience: Duration) -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(patience).build().expect("a client")
}
