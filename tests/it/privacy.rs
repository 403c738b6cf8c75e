//! Logs and metrics hold no key, no digits and nothing that was said, even at the most talkative level.

use crate::client::Parts;
use crate::media::DIGITS;
use crate::service::Service;

const WRONG_KEY: &str = "a-wrong-key-that-must-not-be-logged";

#[tokio::test]
async fn logs_and_metrics_hold_no_secret_and_nothing_personal() {
    for format in ["text", "json"] {
        let service = Service::start(&[("LOG__FILTER", "trace"), ("LOG__FORMAT", format)]);
        assert!(service.photo("id_card.jpg", "selfie.jpg").await.passed());
        assert!(service.video("video.mp4", DIGITS).await.passed());
        service.video("video_other_speech.mp4", "305641").await;
        service.spoof("text.jpg").await;
        service.post("spoofdetect", Parts::new().text("api_key", WRONG_KEY)).await;
        let metrics = service.get("/metrics").await;
        assert_eq!(metrics.status, 200);

        let key = service.key.clone();
        let (folder, status) = service.terminate();
        assert!(status.success(), "{status}");
        let log = folder.log();
        assert!(log.lines().count() > 20, "the log is not empty:\n{log}");
        let secrets = [
            &*key,
            WRONG_KEY,
            DIGITS,
            "305641",
            "4 9 2 8 1 7",
            "weather",
            "garden",
            "selfie.jpg",
            "video.mp4",
        ];
        for secret in secrets {
            assert!(!metrics.text.contains(secret), "the metrics hold {secret}");
            let line = log.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "the {format} log holds {secret}");
        }
    }
}
