//! The same verdicts from the same models through `OpenVINO`, which multiplies in bf16 where the processor does.

#![cfg(target_arch = "x86_64")]

use std::process::Command;

use crate::client::Answer;
use crate::media::checkout;
use crate::service::{Service, countersign};

/// Fetched now, unless `./test` has done so.
fn runtime() -> String {
    let folder = checkout().join(".countersign/openvino");
    let output = Command::new(checkout().join("scripts/openvino")).arg(folder).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a path").trim().to_owned()
}

#[tokio::test]
async fn openvino_comes_to_the_same_verdicts_as_the_processor_alone() {
    let (plain, runtime) = (Service::shared(), runtime());
    let service = Service::start(&[("MODELS__DEVICE", "openvino"), ("MODELS__RUNTIME", &runtime)]);
    for (id_card, photo) in [
        ("id_card.jpg", "selfie.jpg"),
        ("other_id_card.jpg", "selfie.jpg"),
        ("id_card.jpg", "selfie_sideways.jpg"),
        ("id_card.jpg", "no_face.jpg"),
        ("id_card_far.jpg", "spoof.jpg"),
    ] {
        let (expected, answer) = (plain.photo(id_card, photo).await, service.photo(id_card, photo).await);
        let of = |answer: &Answer| answer.predictions()["verification"]["breakdown"]["photo"].clone();
        let (one, other) = (of(&expected), of(&answer));
        assert_eq!(answer.passed(), expected.passed(), "{id_card} {photo}: {}", answer.text);
        assert_eq!(one["num_faces"], other["num_faces"], "{id_card} {photo}");
        if let (Some(one), Some(other)) = (one["distance"].as_f64(), other["distance"].as_f64()) {
            assert!((one - other).abs() < 0.03, "{id_card} {photo}: {one} and {other}");
        }
    }
}

#[test]
fn a_runtime_without_openvino_ends_the_start_with_a_reason() {
    let output = countersign()
        .arg("serve")
        .env("COUNTERSIGN_MODELS__DEVICE", "openvino")
        .env("COUNTERSIGN_SERVER__LISTEN", "127.0.0.1:0")
        .env("COUNTERSIGN_DATA__DIR", tempfile::tempdir().expect("a folder").path())
        .output()
        .expect("countersign runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("OpenVINO"), "{error}");
}
