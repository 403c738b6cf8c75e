//! The documentation's own clients, run as the programs they are: curl in a shell, Python `requests`, PHP.

use std::process::{Command, Output};

use serde_json::Value;

use crate::media;
use crate::service::Service;

/// A client's text with this service's address and key in place of the documented ones.
fn filled_in(text: &str, service: &Service, replacements: &[(&str, &str)]) -> String {
    let mut text = text.to_owned();
    let fixed = [("https://api.onesmartlab.com", &*service.url), ("YOUR_API_KEY", &*service.key)];
    for (placeholder, value) in fixed.iter().chain(replacements) {
        assert!(text.contains(placeholder), "{placeholder} is in the documentation");
        // One at a time: the documented PHP names the same path for two files.
        text = text.replacen(placeholder, value, 1);
    }
    text
}

fn sample(name: &str) -> String {
    media::path(name).to_str().expect("a path in text").to_owned()
}

fn shell(script: &str) -> Output {
    Command::new("sh").args(["-c", script]).output().expect("sh runs")
}

/// Debian's Python, which has Debian's python3-requests.
fn python(script: &str) -> Output {
    Command::new("/usr/bin/python3").args(["-c", script]).output().expect("python3 runs")
}

/// The documentation lacks the semicolons that end its first statement; PHP itself doesn't need the last one's.
fn php(script: &str) -> Output {
    let script = script.replacen("\"\n$data", "\";\n$data", 1) + ";";
    Command::new("php").args(["-r", &script]).output().expect("php runs")
}

/// The verdict that the client printed.
fn verdict(output: &Output) -> bool {
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    let json: Value =
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}{errors}"));
    json["predictions"]["verification"]["status"].as_bool().unwrap_or_else(|| panic!("no verdict: {printed}"))
}

/// The verdict that the documented curl gets for the sample selfie and that card.
pub(crate) fn photo_by_curl(service: &Service, id_card: &str) -> bool {
    let files = [
        ("/path/to/your/id_card.jpg", &*sample(id_card)),
        ("/path/to/your/selfie_pic.jpg", &*sample("selfie.jpg")),
    ];
    verdict(&shell(&filled_in(include_str!("documented/photoverify.sh"), service, &files)))
}

#[test]
fn the_documented_curl_verifies_a_photo() {
    let service = Service::shared();
    for (id_card, expected) in [("id_card.jpg", true), ("other_id_card.jpg", false)] {
        assert_eq!(photo_by_curl(&service, id_card), expected, "{id_card}");
    }
}

#[test]
fn the_documented_curl_verifies_a_video() {
    let service = Service::shared();
    let values = [
        ("/path/to/your/id_card.jpg", &*sample("id_card.jpg")),
        ("/path/to/your/selfie_video.mp4", &*sample("video.mp4")),
        ("YOUR_6_DIGIT_AUDIOCHALLENGE", media::DIGITS),
        ("YOUR_LANGUAGE_CODE", "en-US"),
    ];
    let script = filled_in(include_str!("documented/videoverify.sh"), &service, &values);
    assert!(verdict(&shell(&script)));
}

#[test]
fn the_documented_curl_detects_a_spoof() {
    let service = Service::shared();
    for (photo, expected) in [("selfie.jpg", true), ("spoof.jpg", false)] {
        let files = [("/path/to/your/photo.jpg", &*sample(photo))];
        let script = filled_in(include_str!("documented/spoofdetect.sh"), &service, &files);
        assert_eq!(verdict(&shell(&script)), expected, "{photo}");
    }
}

#[test]
fn the_documented_python_verifies_a_photo() {
    let service = Service::shared();
    for (id_card, expected) in [("id_card.jpg", true), ("other_id_card.jpg", false)] {
        let files = [
            ("/path/to/your/id_card.jpg", &*sample(id_card)),
            ("/path/to/your/selfie_photo.jpg", &*sample("selfie.jpg")),
        ];
        let script = filled_in(include_str!("documented/photoverify.py"), &service, &files);
        assert_eq!(verdict(&python(&script)), expected, "{id_card}");
    }
}

#[test]
fn the_documented_python_verifies_a_video() {
    let service = Service::shared();
    let values = [
        ("/path/to/your/id_card.jpg", &*sample("id_card.jpg")),
        ("/path/to/your/selfie_video.mp4", &*sample("video.mp4")),
        ("YOUR_AUDIO_CHALLENGE", media::DIGITS),
        ("YOUR_LANGUAGE_CODE", "en-US"),
    ];
    let script = filled_in(include_str!("documented/videoverify.py"), &service, &values);
    assert!(verdict(&python(&script)));
}

#[test]
fn the_documented_python_detects_a_spoof() {
    let service = Service::shared();
    let files = [("/path/to/your/photo.jpg", &*sample("spoof.jpg"))];
    let script = filled_in(include_str!("documented/spoofdetect.py"), &service, &files);
    assert!(!verdict(&python(&script)));
}

#[test]
fn the_documented_php_verifies_a_photo() {
    let service = Service::shared();
    let files = [
        ("/path/to/your/selfie.jpg", &*sample("id_card.jpg")),
        ("/path/to/your/selfie.jpg", &*sample("selfie.jpg")),
    ];
    let script = filled_in(include_str!("documented/photoverify.php"), &service, &files);
    assert!(verdict(&php(&script)));
}

#[test]
fn the_documented_php_sends_its_video_to_photoverify_and_is_understood() {
    let service = Service::shared();
    for (digits, expected) in [(media::DIGITS, true), ("305641", false)] {
        let values = [
            ("/path/to/your/selfie.jpg", &*sample("id_card.jpg")),
            ("/path/to/your/selfie_video.mp4", &*sample("video.mp4")),
            ("YOUR_AUDIO_CHALLENGE", digits),
            ("YOUR_LANGUAGE_CODE", "en-US"),
        ];
        let script = filled_in(include_str!("documented/videoverify.php"), &service, &values);
        assert_eq!(verdict(&php(&script)), expected, "{digits}");
    }
}

#[test]
fn the_documented_php_sends_its_photo_to_spoofdetect_as_id_card_and_is_understood() {
    let service = Service::shared();
    for (photo, expected) in [("selfie.jpg", true), ("spoof.jpg", false)] {
        let files = [("/path/to/your/photo.jpg", &*sample(photo))];
        let script = filled_in(include_str!("documented/spoofdetect.php"), &service, &files);
        assert_eq!(verdict(&php(&script)), expected, "{photo}");
    }
}
