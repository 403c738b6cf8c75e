//! The documented JSON, held against the three documented sample responses.

use countersign_api::v1_1::view;
use countersign_shared::domain::{CheckName, Evidence, Report};
use serde_json::Value;

use crate::reports::{faceless, photo, reject, spoof, video};

const PHOTO: &str = include_str!("../samples/photoverify.json");
const VIDEO: &str = include_str!("../samples/videoverify.json");
const SPOOF: &str = include_str!("../samples/spoofdetect.json");

fn text(report: &Report) -> String {
    serde_json::to_string_pretty(&view(report, None)).expect("an answer serialises")
}

fn value(report: &Report) -> Value {
    serde_json::from_str(&text(report)).expect("an answer is JSON")
}

/// Every line of a pretty-printed document with its value replaced by its type: what is left is names, order,
/// nesting, types and nulls. `1.0` is a float and `1` an integer.
fn shape(json: &str) -> Vec<String> {
    json.lines().map(line_shape).collect()
}

fn line_shape(line: &str) -> String {
    let (key, value) = line.split_once("\": ").map_or((line, ""), |(key, value)| (key, value));
    let value = value.trim_end_matches(',');
    let kind = match value.as_bytes().first() {
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'0'..=b'9' | b'-') if value.contains('.') => "float",
        Some(b'0'..=b'9' | b'-') => "integer",
        _ => value,
    };
    format!("{} {kind}", key.trim_end_matches(','))
}

/// The paths at which two documents differ.
fn differences(ours: &Value, sample: &Value, path: &str, found: &mut Vec<String>) {
    match (ours, sample) {
        (Value::Object(ours), Value::Object(sample)) => {
            for key in ours.keys().chain(sample.keys().filter(|key| !ours.contains_key(*key))) {
                let (ours, sample) = (ours.get(key), sample.get(key));
                differences(
                    ours.unwrap_or(&Value::Null),
                    sample.unwrap_or(&Value::Null),
                    &format!("{path}/{key}"),
                    found,
                );
            }
        }
        _ if ours == sample => {}
        _ => found.push(path.to_owned()),
    }
}

fn differs_at(report: &Report, sample: &str) -> Vec<String> {
    let mut found = Vec::new();
    let sample = serde_json::from_str(sample).expect("a sample is JSON");
    differences(&value(report), &sample, "", &mut found);
    found
}

#[test]
fn the_photo_answer_has_the_documented_names_types_nulls_and_order() {
    assert_eq!(shape(&text(&photo())), shape(PHOTO.trim_end()));
}

#[test]
fn the_video_answer_has_the_documented_names_types_nulls_and_order() {
    assert_eq!(shape(&text(&video())), shape(VIDEO.trim_end()));
}

#[test]
fn the_spoof_answer_has_the_documented_names_types_nulls_and_order() {
    assert_eq!(shape(&text(&spoof())), shape(SPOOF.trim_end()));
}

/// The photo sample's average and largest ratio contradict its own breakdown, and its times are finer than ours.
#[test]
fn the_documented_numbers_give_the_documented_answers() {
    assert_eq!(
        differs_at(&photo(), PHOTO),
        [
            "/predictions/end",
            "/predictions/model_output/face_distance_avg",
            "/predictions/model_output/largest_face_to_frame_ratio",
            "/predictions/start"
        ]
    );
    assert_eq!(differs_at(&video(), VIDEO), ["/predictions/end", "/predictions/start"]);
    assert_eq!(differs_at(&spoof(), SPOOF), Vec::<String>::new());
}

#[test]
fn whole_numbers_keep_their_decimal_point() {
    let answer = text(&photo());
    assert!(answer.contains("\"face_sameness\": 0.0,"), "{answer}");
    assert!(answer.contains("\"single_face_in_frames\": 1.0,"), "{answer}");
    assert!(text(&spoof()).contains("\"success\": true"));
}

#[test]
fn a_selfie_without_a_face_is_a_verdict_with_nulls() {
    let mut report = photo();
    let Evidence::Photo(evidence) = &mut report.evidence else { panic!("a photo's report") };
    evidence.photo = faceless();
    evidence.distance = None;
    for name in [CheckName::FaceMatch, CheckName::NotSpoof, CheckName::SingleFace] {
        reject(&mut report, name);
    }
    let answer = value(&report);
    let predictions = &answer["predictions"];
    assert_eq!(answer["success"], true);
    assert_eq!(predictions["verification"]["status"], false);
    assert_eq!(predictions["model_output"]["face_distance_avg"], Value::Null);
    assert_eq!(predictions["model_output"]["single_face_in_frames"], 0.0);
    assert_eq!(
        predictions["verification"]["breakdown"]["photo"].to_string(),
        r#"{"distance":null,"face_to_frame_width_ratio":0.0,"not_spoof_confidence":"0.00","not_spoof_passed":false,"num_faces":0}"#
    );
}

#[test]
fn the_ratio_and_the_distance_are_the_selfies() {
    let answer = value(&photo());
    let predictions = &answer["predictions"];
    let selfie = &predictions["verification"]["breakdown"]["photo"];
    assert_eq!(
        predictions["model_output"]["largest_face_to_frame_ratio"],
        selfie["face_to_frame_width_ratio"]
    );
    assert_eq!(predictions["model_output"]["face_distance_avg"], selfie["distance"]);
}

#[test]
fn every_failed_photo_check_fails_the_status() {
    for check in photo().checks {
        let mut report = photo();
        reject(&mut report, check.name);
        assert_eq!(value(&report)["predictions"]["verification"]["status"], false, "{:?}", check.name);
    }
}

#[test]
fn every_failed_video_check_fails_one_of_the_five_and_the_status() {
    for check in video().checks {
        let mut report = video();
        reject(&mut report, check.name);
        let answer = value(&report);
        let verification = &answer["predictions"]["verification"];
        let breakdown = verification["breakdown"].as_object().expect("five booleans");
        assert_eq!(breakdown.len(), 5);
        assert_eq!(breakdown.values().filter(|passed| **passed == false).count(), 1, "{:?}", check.name);
        assert_eq!(verification["status"], false, "{:?}", check.name);
    }
}

#[test]
fn the_audio_challenge_is_shown_in_both_places() {
    let mut report = video();
    reject(&mut report, CheckName::AudioChallenge);
    let answer = value(&report);
    let predictions = &answer["predictions"];
    assert_eq!(predictions["model_output"]["audio_challenge_passed"], false);
    assert_eq!(predictions["verification"]["breakdown"]["audio_challenge_passed"], false);
}

#[test]
fn a_silent_video_has_an_empty_list_of_transcriptions() {
    let mut report = video();
    let Evidence::Video(evidence) = &mut report.evidence else { panic!("a video's report") };
    evidence.speech.transcription = None;
    evidence.face_distance_avg = None;
    let answer = value(&report);
    let output = &answer["predictions"]["model_output"];
    assert_eq!(output["transcription"].to_string(), r#"{"results":[]}"#);
    assert_eq!(output["face_distance_avg"], Value::Null);
}

#[test]
fn the_language_is_echoed_as_it_was_sent() {
    let answer = serde_json::to_value(view(&video(), Some("TH_th"))).expect("an answer serialises");
    assert_eq!(answer["predictions"]["model_input"]["languageCode"], "TH_th");
}
