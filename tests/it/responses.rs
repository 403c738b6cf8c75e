//! The sample responses, key by key: names, order, types, nulls.

use serde_json::Value;

use crate::media;
use crate::service::Service;
use crate::shape::Shape;

fn assert_documented(answer: &str, documented: &Shape) {
    let shape = Shape::of(answer);
    assert_eq!(&shape, documented, "{answer}");
    assert!(shape.is_alphabetical(), "{answer}");
}

/// A string such as "0.65".
fn assert_two_decimals(value: &Value) {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is a string"));
    let (whole, decimals) = text.split_once('.').unwrap_or_else(|| panic!("{text} has a point"));
    assert!(whole.parse::<u32>().is_ok() && decimals.len() == 2 && decimals.parse::<u32>().is_ok(), "{text}");
}

/// Seconds since the epoch, as in the samples, and a duration that agrees with them.
fn assert_times(predictions: &Value) {
    let (start, end) =
        (predictions["start"].as_f64().expect("a time"), predictions["end"].as_f64().expect("a time"));
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64();
    assert!(start <= end && end <= now + 1.0 && start > now - 600.0, "{start} {end} {now}");
    assert_two_decimals(&predictions["duration"]);
    let duration: f64 = predictions["duration"].as_str().expect("text").parse().expect("a number");
    assert!((duration - (end - start)).abs() < 0.01, "{duration} {start} {end}");
}

fn assert_default_parameters(predictions: &Value) {
    let expected = serde_json::json!({
        "FACE_TO_FRAME_RATIO_MAX": 0.7,
        "THRESHOLD_FACE_SIMILARITY": 0.9,
        "THRESHOLD_L2_DISTANCE": 0.9,
        "THRESHOLD_SPOOF": 0.9,
    });
    assert_eq!(predictions["model_params"], expected);
}

#[tokio::test]
async fn a_photo_is_answered_like_the_sample() {
    let answer = Service::shared().photo("id_card.jpg", "selfie.jpg").await;
    assert_documented(&answer.text, &Shape::of(include_str!("documented/photoverify.json")));

    let predictions = answer.predictions();
    assert_times(&predictions);
    assert_default_parameters(&predictions);
    let output = &predictions["model_output"];
    assert_eq!((&output["audio_challenge_passed"], &output["face_sameness"]), (&true.into(), &0.0.into()));
    let (id_card, photo) = (
        &predictions["verification"]["breakdown"]["id_card"],
        &predictions["verification"]["breakdown"]["photo"],
    );
    assert_two_decimals(&id_card["not_spoof_confidence"]);
    assert_two_decimals(&photo["not_spoof_confidence"]);
    assert_eq!(output["face_distance_avg"], photo["distance"]);
    assert_eq!(output["largest_face_to_frame_ratio"], photo["face_to_frame_width_ratio"]);
    assert_eq!(answer.header("Content-Type"), "application/json");
    assert!(answer.header("X-Verification-Id").starts_with("ver_"));
}

#[tokio::test]
async fn a_photo_without_a_face_is_answered_like_the_sample_but_for_the_distance() {
    let answer = Service::shared().photo("id_card.jpg", "no_face.jpg").await;
    let mut documented = Shape::of(include_str!("documented/photoverify.json"));
    *documented.at("predictions.verification.breakdown.photo.distance") = Shape::Null;
    *documented.at("predictions.model_output.face_distance_avg") = Shape::Null;
    assert_documented(&answer.text, &documented);
}

#[tokio::test]
async fn a_video_is_answered_like_the_sample() {
    let answer = Service::shared().video("video.mp4", media::DIGITS).await;
    assert_documented(&answer.text, &Shape::of(include_str!("documented/videoverify.json")));

    let predictions = answer.predictions();
    assert_times(&predictions);
    assert_default_parameters(&predictions);
    let expected = serde_json::json!({
        "audiochallenge": media::DIGITS,
        "languageCode": "en-US",
        "video": { "fps": 30, "frames": 126, "height": 640, "width": 480 },
    });
    assert_eq!(predictions["model_input"], expected);
    let heard = &predictions["model_output"]["transcription"]["results"][0]["alternatives"][0]["transcript"];
    assert_eq!(heard.as_str().expect("text").trim(), "4 9 2 8 1 7");
}

#[tokio::test]
async fn a_spoof_detection_is_answered_like_the_sample() {
    let service = Service::shared();
    for photo in ["selfie.jpg", "spoof.jpg", "no_face.jpg", "two_faces.jpg"] {
        let answer = service.spoof(photo).await;
        assert_documented(&answer.text, &Shape::of(include_str!("documented/spoofdetect.json")));
        let predictions = answer.predictions();
        assert_two_decimals(&predictions["metadata"]["not_spoof_confidence"]);
        for (name, passed) in predictions["verification"]["breakdown"].as_object().expect("an object") {
            assert_eq!(passed, &predictions["metadata"][name], "{photo}: {name} is said twice");
        }
    }
}
