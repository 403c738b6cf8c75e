//! A profile of an operator's own: models whose licences allow commercial use, from package registries, and no landmarks.

use std::fs;

use tempfile::TempDir;

use crate::client::Answer;
use crate::media::checkout;
use crate::service::{Service, countersign};

/// As `commercial`, but with a detector that a registry has.
const PROFILE: &str = r#"
[profile.own]
detect = "scrfd_500m_bnkps"
embed = "mobilefacenet-mv"
liveness = [{ model = "minifasnet-v2", weight = 1.0 }]
speech = "whisper-base-q8_0"
voice_activity = "silero-v6.2.0"
runtime = ["onnxruntime-1.24.4-x86_64", "onnxruntime-1.24.4-aarch64"]
"#;

/// A service with the profile, whose models have been pulled, and the folder of its manifest.
fn service() -> (Service, TempDir) {
    let folder = TempDir::new().expect("a folder");
    let manifest = folder.path().join("models.toml");
    let built_in = fs::read_to_string(checkout().join("worker/models.toml")).expect("the catalogue");
    fs::write(&manifest, built_in + PROFILE).expect("written");
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
    let (service, _manifest) = service();
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

#[tokio::test]
async fn a_video_is_judged_without_landmarks() {
    let (service, _manifest) = service();
    let passed = |answer: &Answer, check: &str| {
        answer.predictions()["verification"]["breakdown"][check].as_bool().expect("a check of a video")
    };
    let right = service.video("video.mp4", "492817").await;
    for check in ["audio_challenge_passed", "video_face_to_id_face_passed", "video_face_no_change_passed"] {
        assert!(passed(&right, check), "{check}: {}", right.text);
    }
    let other = service.video("other_video.mp4", "492817").await;
    assert!(!passed(&other, "video_face_to_id_face_passed"), "{}", other.text);
    let swapped = service.video("video_replaced_second.mp4", "492817").await;
    assert!(!passed(&swapped, "video_face_no_change_passed"), "{}", swapped.text);
}
