//! The commercial profile, but for the one of its models that is in no package registry: other models than the default's find,
//! align, compare and follow faces.

use std::fs;

use tempfile::TempDir;

use crate::media::checkout;
use crate::service::{Service, countersign};

const PROFILE: &str = r#"
[profile.own]
detect = "retinaface-mnet025"
embed = "mobilefacenet-mv"
liveness = [{ model = "minifasnet-v2", weight = 1.0 }]
speech = "whisper-base-q8_0"
voice_activity = "silero-v6.2.0"
runtime = ["onnxruntime-1.24.4-x86_64", "onnxruntime-1.24.4-aarch64"]
"#;

const LANDMARKS: &str = "landmarks = 'pfld-106'\n";

/// A service with the profile and more, whose models have been pulled, and the folder of its manifest.
fn service(more: &str) -> (Service, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let manifest = folder.path().join("models.toml");
    let built_in = fs::read_to_string(checkout().join("worker/models.toml")).expect("the catalogue");
    fs::write(&manifest, built_in + PROFILE + more).expect("written");
    let manifest = manifest.to_str().expect("text");
    let pulled = countersign()
        .args(["models", "pull", "--profile", "own"])
        .env("COUNTERSIGN_MODELS__MANIFEST", manifest)
        .output()
        .expect("countersign runs");
    assert!(pulled.status.success(), "{}", String::from_utf8_lossy(&pulled.stderr));
    (Service::start(&[("MODELS__MANIFEST", manifest), ("MODELS__PROFILE", "own")]), folder)
}

#[tokio::test]
async fn another_recogniser_tells_people_apart_on_the_same_scale() {
    let (service, _manifest) = service(LANDMARKS);
    for (id_card, photo, is_same) in [
        ("id_card.jpg", "selfie.jpg", true),
        ("id_card.jpg", "selfie_sideways.jpg", true),
        ("other_id_card.jpg", "selfie.jpg", false),
        ("id_card.jpg", "other_selfie.jpg", false),
    ] {
        let answer = service.photo(id_card, photo).await;
        let breakdown = answer.predictions()["verification"]["breakdown"].clone();
        let distance = breakdown["photo"]["distance"].as_f64().expect("a distance");
        assert_eq!(distance < 0.9, is_same, "{id_card} {photo}: {}", answer.text);
        assert_eq!(breakdown["id_card"]["num_faces"], 1, "the ghost portrait is one: {}", answer.text);
    }
}

/// Which checks of a video failed.
async fn failed(service: &Service, video: &str) -> Vec<String> {
    let failed = service.failed_checks(&service.video(video, "492817").await).await;
    failed.iter().map(|check| check["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn other_landmarks_show_what_a_face_does_in_a_video() {
    let (service, _manifest) = service(LANDMARKS);
    let right = failed(&service, "video.mp4").await;
    // A single model that was not calibrated says what it likes of a face's liveness.
    assert!(right.is_empty() || right == ["not_spoof"], "{right:?}");
    for (video, check) in [
        ("other_video.mp4", "face_match"),
        ("video_replaced_second.mp4", "face_no_change"),
        ("video_still.mp4", "mouth_movement"),
        ("video_dubbed.mp4", "lip_agreement"),
        ("video_loop.mp4", "no_repetition"),
    ] {
        let failed = failed(&service, video).await;
        assert!(failed.contains(&check.to_owned()), "{video}: {failed:?}");
    }
}

#[tokio::test]
async fn a_video_is_judged_without_landmarks() {
    let (service, _manifest) = service("");
    for (video, check) in [("video_still.mp4", None), ("video_replaced_second.mp4", Some("face_no_change"))] {
        let failed = failed(&service, video).await;
        let expected: Vec<&str> = check.into_iter().collect();
        assert!(failed.iter().filter(|name| *name != "not_spoof").eq(&expected), "{video}: {failed:?}");
    }
}
