//! What the logs hold, and what they may not.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use countersign_shared::domain::ApiKey;
use tracing_subscriber::EnvFilter;

use crate::client::{CLIENT_ADDRESS, Part, post};
use crate::media::{jpeg, mp4};
use crate::service::Service;

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

/// Collects the logs of every test of this process.
pub(crate) fn capture() {
    STARTED.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new("debug"))
            .with_ansi(false)
            .with_writer(|| Sink)
            .init();
    });
}

struct Sink;

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logs() -> String {
    String::from_utf8_lossy(&LOGS.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

#[tokio::test]
async fn a_request_is_logged_with_its_ids_and_nothing_personal() {
    let service = Service::working(&[]).await;
    let wrong = ApiKey::generate();
    let disposition =
        "Content-Disposition: form-data; name=\"id_card\"; filename=\"Somchai-Passport.jpg\"\r\n";
    let parts = |key: &str| {
        [
            Part::text("api_key", key),
            Part::raw(disposition, &jpeg(5000)),
            Part::file("video", &mp4(5000)),
            Part::text("audiochallenge", "918273"),
            Part::text("languageCode", "th-TH"),
        ]
    };
    let headers = [("X-Request-Id", "seen-in-logs"), ("User-Agent", "AgentOfTheClient/1.0")];
    let path = "/v1.1/videoverify?citizen=Somchai";
    let good = post(service.address, path, &headers, &parts(&service.key)).await;
    assert_eq!(good.status, 200, "{good:?}");
    assert_eq!(post(service.address, path, &headers, &parts(wrong.reveal())).await.status, 401);

    let logs = logs();
    let id = good.header("x-verification-id").expect("an id");
    for present in ["seen-in-logs", "/v1.1/videoverify", id, "key_"] {
        assert!(logs.contains(present), "{present} is missing");
    }
    let address = CLIENT_ADDRESS.to_string();
    for secret in ["Somchai", "918273", "AgentOfTheClient", &address, &service.key, wrong.reveal()] {
        assert!(!logs.contains(secret), "{secret} is in the logs");
    }
}
