//! Presentation attacks.

use crate::service::Service;

#[tokio::test]
async fn a_portrait_passes_and_its_photographed_screen_does_not() {
    let service = Service::shared();
    let portrait = service.spoof("selfie.jpg").await;
    assert!(portrait.passed(), "{}", portrait.text);

    let attack = service.spoof("spoof.jpg").await;
    assert!(!attack.passed());
    let breakdown = &attack.predictions()["verification"]["breakdown"];
    let expected = serde_json::json!({
        "face_to_frame_width_ratio_passed": true,
        "not_spoof_passed": false,
        "single_face": true,
    });
    assert_eq!(breakdown, &expected, "{}", attack.text);
}

#[tokio::test]
async fn the_right_face_on_a_screen_is_rejected_as_a_selfie() {
    let answer = Service::shared().photo("id_card.jpg", "spoof.jpg").await;
    assert!(!answer.passed());
    let photo = &answer.predictions()["verification"]["breakdown"]["photo"];
    assert!(photo["distance"].as_f64().expect("a distance") < 0.9, "{}", answer.text);
    assert_eq!(photo["not_spoof_passed"], false, "{}", answer.text);
}

#[tokio::test]
async fn two_faces_are_no_single_face() {
    let answer = Service::shared().spoof("two_faces.jpg").await;
    assert!(!answer.passed());
    assert_eq!(answer.predictions()["metadata"]["num_faces"], 2);
    assert_eq!(answer.predictions()["metadata"]["single_face"], false);
}

#[tokio::test]
async fn a_face_that_nearly_fills_the_frame_is_too_near() {
    let answer = Service::shared().spoof("selfie_close.jpg").await;
    assert!(!answer.passed());
    assert_eq!(
        answer.predictions()["metadata"]["face_to_frame_width_ratio_passed"],
        false,
        "{}",
        answer.text
    );
}
