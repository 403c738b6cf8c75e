//! Verdicts on photos: whose face it is, how many there are, how they lie and how large they are.

use serde_json::Value;

use crate::client::Answer;
use crate::service::Service;

fn breakdown(answer: &Answer, part: &str) -> Value {
    answer.predictions()["verification"]["breakdown"][part].clone()
}

fn distance(answer: &Answer) -> f64 {
    breakdown(answer, "photo")["distance"].as_f64().unwrap_or_else(|| panic!("no distance: {}", answer.text))
}

#[tokio::test]
async fn the_person_on_the_card_passes() {
    let answer = Service::shared().photo("id_card.jpg", "selfie.jpg").await;
    assert!(answer.passed(), "{}", answer.text);
    assert!(distance(&answer) < 0.9);
}

#[tokio::test]
async fn another_person_is_rejected_for_the_distance_alone() {
    let service = Service::shared();
    for (id_card, photo) in [("other_id_card.jpg", "selfie.jpg"), ("id_card.jpg", "other_selfie.jpg")] {
        let answer = service.photo(id_card, photo).await;
        assert!(!answer.passed(), "{id_card} {photo}");
        assert!(distance(&answer) > 0.9);
        let photo = breakdown(&answer, "photo");
        assert_eq!(
            (&photo["num_faces"], &photo["not_spoof_passed"]),
            (&1.into(), &true.into()),
            "{}",
            answer.text
        );
    }
}

#[tokio::test]
async fn the_cards_ghost_portrait_is_not_a_second_face() {
    let answer = Service::shared().photo("id_card.jpg", "selfie.jpg").await;
    assert_eq!(breakdown(&answer, "id_card")["num_faces"], 1, "{}", answer.text);
}

#[tokio::test]
async fn a_photo_without_a_face_is_a_verdict_and_not_an_error() {
    let answer = Service::shared().photo("id_card.jpg", "no_face.jpg").await;
    assert!(!answer.passed());
    let expected = serde_json::json!({
        "distance": null,
        "face_to_frame_width_ratio": 0.0,
        "not_spoof_confidence": "0.00",
        "not_spoof_passed": false,
        "num_faces": 0,
    });
    assert_eq!(breakdown(&answer, "photo"), expected);
    assert_eq!(answer.predictions()["model_output"]["single_face_in_frames"], 0.0);
}

#[tokio::test]
async fn a_card_without_a_face_is_a_verdict_and_not_an_error() {
    let answer = Service::shared().photo("no_face.jpg", "selfie.jpg").await;
    assert!(!answer.passed());
    assert_eq!(breakdown(&answer, "id_card")["num_faces"], 0);
    assert_eq!(breakdown(&answer, "photo")["distance"], Value::Null);
}

#[tokio::test]
async fn two_faces_in_the_selfie_are_counted_and_rejected() {
    let answer = Service::shared().photo("id_card.jpg", "two_faces.jpg").await;
    assert!(!answer.passed());
    assert_eq!(breakdown(&answer, "photo")["num_faces"], 2, "{}", answer.text);
}

#[tokio::test]
async fn the_exif_orientation_is_honoured() {
    let service = Service::shared();
    let upright = service.photo("id_card.jpg", "selfie.jpg").await;
    let turned = service.photo("id_card.jpg", "selfie_exif_turned.jpg").await;
    assert!(turned.passed(), "{}", turned.text);
    assert!(
        (distance(&upright) - distance(&turned)).abs() < 0.1,
        "{} {}",
        distance(&upright),
        distance(&turned)
    );
    let ratio =
        |answer: &Answer| breakdown(answer, "photo")["face_to_frame_width_ratio"].as_f64().expect("a ratio");
    assert!((ratio(&upright) - ratio(&turned)).abs() < 0.05, "{} {}", ratio(&upright), ratio(&turned));
}

#[tokio::test]
async fn a_sideways_photo_without_exif_is_matched_all_the_same() {
    let service = Service::shared();
    let upright = service.photo("id_card.jpg", "selfie.jpg").await;
    let sideways = service.photo("id_card.jpg", "selfie_sideways.jpg").await;
    assert_eq!(breakdown(&sideways, "photo")["num_faces"], 1, "{}", sideways.text);
    // Aligned as it lies, the face would be far from itself.
    assert!(
        (distance(&upright) - distance(&sideways)).abs() < 0.1,
        "{} {}",
        distance(&upright),
        distance(&sideways)
    );
}

#[tokio::test]
async fn a_face_that_nearly_fills_the_frame_is_found_and_too_near() {
    let answer = Service::shared().photo("id_card.jpg", "selfie_close.jpg").await;
    assert!(!answer.passed());
    let photo = breakdown(&answer, "photo");
    assert_eq!(photo["num_faces"], 1, "{}", answer.text);
    assert!(photo["face_to_frame_width_ratio"].as_f64().expect("a ratio") > 0.7, "{}", answer.text);
    assert!(distance(&answer) < 0.9, "{}", answer.text);
}

#[tokio::test]
async fn a_tiny_face_on_a_card_is_found_and_matched() {
    let service = Service::shared();
    let answer = service.photo("id_card_far.jpg", "selfie.jpg").await;
    let ratio = breakdown(&answer, "id_card")["face_to_frame_width_ratio"].as_f64().expect("a ratio");
    assert!((0.01..0.05).contains(&ratio), "{}", answer.text);
    assert!(distance(&answer) < 0.9, "{}", answer.text);
    assert!(distance(&service.photo("id_card_far.jpg", "other_selfie.jpg").await) > 0.9);
}

#[tokio::test]
async fn a_selfie_whose_face_is_smaller_than_the_operator_allows_is_rejected_and_told_why() {
    let service = Service::start(&[("PIPELINE__EYE_DISTANCE_MIN", "1000")]);
    let answer = service.photo("id_card.jpg", "selfie.jpg").await;
    assert!(!answer.passed());
    assert!(distance(&answer) < 0.9, "{}", answer.text);
    assert_eq!(breakdown(&answer, "photo")["not_spoof_passed"], false, "{}", answer.text);

    let id = answer.header("X-Verification-Id");
    let verification = service.get(&format!("/v2/verifications/{id}")).await.json();
    let checks = verification["checks"].as_array().expect("a list");
    let failed: Vec<_> = checks.iter().filter(|check| check["passed"] == false).collect();
    assert_eq!(failed.len(), 1, "{verification}");
    assert_eq!(failed[0]["name"], "photo_quality");
    assert_eq!(failed[0]["reasons"], serde_json::json!(["face_too_small"]));
    let eyes = verification["report"]["evidence"]["photo"]["quality"]["eye_distance"].as_f64();
    let (eyes, score) = (eyes.expect("a distance"), failed[0]["score"].as_f64().expect("a score"));
    assert!((20.0..1000.0).contains(&eyes) && (score - eyes / 1000.0).abs() < 1e-9, "{verification}");
}

#[tokio::test]
async fn png_and_webp_say_what_jpeg_says() {
    let service = Service::shared();
    let jpeg = distance(&service.photo("id_card.jpg", "selfie.jpg").await);
    for photo in ["selfie.png", "selfie.webp"] {
        let answer = service.photo("id_card.jpg", photo).await;
        assert!(answer.passed(), "{photo}: {}", answer.text);
        assert!((distance(&answer) - jpeg).abs() < 0.05, "{photo}: {} {jpeg}", distance(&answer));
    }
}

#[tokio::test]
async fn a_photo_that_fails_by_itself_costs_no_look_at_the_card_if_the_operator_wishes() {
    let service = Service::start(&[("PIPELINE__FAIL_FAST", "true")]);
    let good = service.photo("id_card.jpg", "selfie.jpg").await;
    assert!(good.passed(), "{}", good.text);
    assert_eq!(breakdown(&good, "id_card")["num_faces"], 1);

    let crowded = service.photo("id_card.jpg", "two_faces.jpg").await;
    assert!(!crowded.passed());
    assert_eq!(breakdown(&crowded, "photo")["num_faces"], 2);
    assert_eq!(breakdown(&crowded, "id_card")["num_faces"], 0, "nothing was looked for: {}", crowded.text);
}
