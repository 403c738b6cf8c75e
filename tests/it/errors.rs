//! Requests that can't be answered: each gets the code and status of the closed table, and nothing is guessed.

use crate::client::Parts;
use crate::media::{self, DIGITS};
use crate::service::Service;

fn video_parts() -> Parts {
    Parts::new().file("id_card", "id_card.jpg").file("video", "video.mp4")
}

#[tokio::test]
async fn a_missing_part_is_named() {
    let service = Service::shared();
    let cases = [
        ("photoverify", Parts::new().file("id_card", "id_card.jpg"), "photo"),
        ("photoverify", Parts::new().file("photo", "selfie.jpg"), "id_card"),
        ("videoverify", Parts::new().file("id_card", "id_card.jpg").text("audiochallenge", DIGITS), "video"),
        ("videoverify", video_parts().text("languageCode", "en-US"), "audiochallenge"),
        ("videoverify", video_parts().text("audiochallenge", DIGITS), "languageCode"),
        ("spoofdetect", Parts::new(), "photo"),
    ];
    for (endpoint, parts, missing) in cases {
        let answer = service.verify(endpoint, parts).await;
        answer.assert_error(400, "MISSING_FIELD");
        assert!(answer.header("X-Error-Detail").contains(missing), "{missing}: {:?}", answer.headers);
    }
}

#[tokio::test]
async fn anything_but_six_digits_is_refused() {
    let service = Service::shared();
    for challenge in ["12345", "1234567", "12345a", "4 9 2 8 1 7", "-12345"] {
        let parts = video_parts().text("audiochallenge", challenge).text("languageCode", "en-US");
        service.verify("videoverify", parts).await.assert_error(400, "INVALID_FIELD");
    }
}

#[tokio::test]
async fn a_file_that_is_not_what_it_says_is_refused() {
    let service = Service::shared();
    service.spoof("text.jpg").await.assert_error(415, "UNSUPPORTED_MEDIA");
    service.spoof("video.mp4").await.assert_error(415, "UNSUPPORTED_MEDIA");
    service.video("text.mp4", DIGITS).await.assert_error(415, "UNSUPPORTED_MEDIA");
    service.video("selfie.jpg", DIGITS).await.assert_error(415, "UNSUPPORTED_MEDIA");
}

#[tokio::test]
async fn a_name_and_a_declared_type_are_never_believed() {
    let service = Service::shared();
    let part = reqwest::multipart::Part::bytes(media::bytes("selfie.jpg"));
    let part = part.file_name("../../etc/passwd.mp4").mime_str("video/mp4").expect("a type");
    assert!(service.verify("spoofdetect", Parts::new().part("photo", part)).await.passed());
}

#[tokio::test]
async fn a_damaged_picture_is_refused() {
    Service::shared().spoof("truncated.jpg").await.assert_error(422, "MEDIA_UNREADABLE");
}

#[tokio::test]
async fn what_is_no_multipart_request_is_refused() {
    let service = Service::shared();
    let url = format!("{}/v1.1/spoofdetect", service.url);
    let curl = |arguments: &[&str]| {
        let common = ["--silent", "--write-out", "%{http_code}"];
        let curl = std::process::Command::new("curl").args(common).args(arguments).arg(&url).output();
        String::from_utf8(curl.expect("curl runs").stdout).expect("text")
    };
    assert_eq!(curl(&["--data", "photo=1"]), r#"{"error":"INVALID_REQUEST"}400"#);
    assert_eq!(curl(&["--json", "{}"]), r#"{"error":"INVALID_REQUEST"}400"#);
    assert_eq!(curl(&["--get"]), r#"{"error":"METHOD_NOT_ALLOWED"}405"#);
}

#[tokio::test]
async fn the_error_table_is_published() {
    let table = Service::shared().get("/v2/errors").await;
    assert_eq!(table.status, 200);
    for code in ["MISSING_FIELD", "INVALID_API_KEY", "MEDIA_TOO_LARGE", "VIDEO_WITHOUT_AUDIO", "TIMED_OUT"] {
        assert!(table.text.contains(&format!(r#""{code}""#)), "{code}: {}", table.text);
    }
}
