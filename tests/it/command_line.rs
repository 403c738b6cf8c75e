//! `countersign verify`: no server, the same JSON, an exit code for the verdict.

use std::process::Output;

use serde_json::Value;

use crate::media::{self, DIGITS};
use crate::service::{Service, countersign};
use crate::shape::Shape;

fn run(arguments: &[&str]) -> Output {
    countersign().args(arguments).output().expect("countersign runs")
}

fn sample(name: &str) -> String {
    media::path(name).to_str().expect("a path in text").to_owned()
}

fn printed(output: &Output, code: i32) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{errors}");
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn verify_photo(id_card: &str, photo: &str) -> Output {
    run(&["verify", "photo", "--id-card", &sample(id_card), "--photo", &sample(photo)])
}

#[tokio::test]
async fn a_photo_gets_the_services_own_answer() {
    let output = printed(&verify_photo("id_card.jpg", "selfie.jpg"), 0);
    assert_eq!(Shape::of(&output), Shape::of(include_str!("documented/photoverify.json")));
    let service = Service::shared().photo("id_card.jpg", "selfie.jpg").await;
    let breakdown = |json: &Value| json["predictions"]["verification"].clone();
    let printed: Value = serde_json::from_str(&output).expect("JSON");
    assert_eq!(breakdown(&printed), breakdown(&service.json()));
}

#[test]
fn a_rejected_photo_exits_with_1() {
    let output = printed(&verify_photo("other_id_card.jpg", "selfie.jpg"), 1);
    assert_eq!(Shape::of(&output), Shape::of(include_str!("documented/photoverify.json")));
}

#[test]
fn what_cannot_be_verified_exits_with_2_and_says_why() {
    let missing = run(&["verify", "spoof", "--photo", "/nowhere.jpg"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("nowhere.jpg"));
    assert_eq!(verify_photo("id_card.jpg", "text.jpg").status.code(), Some(2));
    let video = &sample("video_without_audio.mp4");
    let arguments =
        ["--id-card", &sample("id_card.jpg"), "--video", video, "--digits", DIGITS, "--language", "en-US"];
    let silent = run(&[&["verify", "video"][..], &arguments].concat());
    assert_eq!(silent.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&silent.stderr).contains("VIDEO_WITHOUT_AUDIO"));
}

#[test]
fn a_video_exits_by_its_digits() {
    let (id_card, video) = (sample("id_card.jpg"), sample("video.mp4"));
    let verify = |digits: &str| {
        let files = ["verify", "video", "--id-card", &id_card, "--video", &video];
        run(&[&files[..], &["--digits", digits, "--language", "en-US"]].concat())
    };
    let output = printed(&verify(DIGITS), 0);
    assert_eq!(Shape::of(&output), Shape::of(include_str!("documented/videoverify.json")));
    printed(&verify("305641"), 1);
}

#[test]
fn a_spoof_exits_with_1_and_can_be_printed_in_full() {
    let output = run(&["verify", "spoof", "--photo", &sample("spoof.jpg"), "--report", "--pretty"]);
    let report: Value = serde_json::from_str(&printed(&output, 1)).expect("JSON");
    assert_eq!(report["verdict"], "rejected", "{report:#}");
    assert!(report["models"].as_array().is_some_and(|models| !models.is_empty()), "{report:#}");
    assert!(String::from_utf8_lossy(&output.stdout).lines().count() > 10, "pretty is of several lines");
}
