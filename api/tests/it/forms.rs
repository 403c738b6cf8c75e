//! Requests as clients send them, well-formed ones and others.

use countersign_shared::domain::{Kind, State};
use serde_json::Value;

use crate::client::{Connection, Part, form, head, post};
use crate::media::{jpeg, mp4};
use crate::service::Service;

/// Every order of the items.
fn orders(items: &[Part]) -> Vec<Vec<Part>> {
    if items.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (index, first) in items.iter().enumerate() {
        let mut rest = items.to_vec();
        rest.remove(index);
        found.extend(orders(&rest).into_iter().map(|tail| [vec![first.clone()], tail].concat()));
    }
    found
}

fn video_parts(service: &Service) -> Vec<Part> {
    vec![
        service.key_part(),
        Part::file("id_card", &jpeg(3000)),
        Part::file("video", &mp4(300_000)),
        Part::text("audiochallenge", "012345"),
        Part::text("languageCode", "th-TH"),
    ]
}

fn photo_parts(service: &Service) -> Vec<Part> {
    vec![service.key_part(), Part::file("id_card", &jpeg(3000)), Part::file("photo", &jpeg(200_000))]
}

#[tokio::test]
async fn the_parts_of_a_photo_may_come_in_any_order() {
    let service = Service::working(&[]).await;
    for parts in orders(&[photo_parts(&service), vec![Part::text("unknown", "ignored")]].concat()) {
        let response = service.post("/v1.1/photoverify", &parts).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.json()["predictions"]["verification"]["status"], true);
    }
}

#[tokio::test]
async fn the_parts_of_a_video_may_come_in_any_order() {
    let service = Service::working(&[]).await;
    for parts in orders(&video_parts(&service)) {
        let response = service.post("/v1.1/videoverify", &parts).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}

#[tokio::test]
async fn an_answer_is_the_documented_json_with_its_ids() {
    let service = Service::working(&[]).await;
    let response = service.post("/v1.1/photoverify", &photo_parts(&service)).await;
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert!(response.header("x-request-id").is_some());
    let keys: Vec<String> = response.json().as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["predictions", "success"]);
    let id = response.header("x-verification-id").expect("an id").parse().expect("a verification's id");
    let verification = service.verification(id).await;
    assert_eq!((verification.state, verification.request.kind), (State::Succeeded, Kind::Photo));
}

#[tokio::test]
async fn files_are_stored_byte_by_byte_with_size_hash_and_format() {
    let service = Service::working(&[]).await;
    let photo = jpeg(777_777);
    let parts = [service.key_part(), Part::file("id_card", &jpeg(600)), Part::file("photo", &photo)];
    let response = service.post("/v1.1/photoverify", &parts).await;
    let id = response.header("x-verification-id").expect("an id").parse().expect("a verification's id");
    let request = service.verification(id).await.request;
    assert_eq!(request.media.len(), 2);
    let media = request.media.iter().find(|media| media.role.name() == "photo").expect("the photo");
    assert_eq!(media.bytes, 777_777);
    assert_eq!(serde_json::to_value(media.format).expect("a name"), "jpeg");
    let name = media.key.as_str().replace('/', ".");
    let path = service.files().into_iter().find(|path| path.ends_with(&name)).expect("the file");
    let stored = std::fs::read(path).expect("the file is readable");
    assert!(stored == photo, "the stored file differs");
    assert_eq!(media.sha256, sha256(&photo));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    let digits: Vec<String> = sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

#[tokio::test]
async fn a_video_posted_to_photoverify_is_verified_as_a_video() {
    let service = Service::working(&[]).await;
    let response = service.post("/v1.1/photoverify", &video_parts(&service)).await;
    assert_eq!(response.json()["predictions"]["model_input"]["video"]["frames"], 105);
}

#[tokio::test]
async fn photo_and_video_together_are_refused() {
    let service = Service::working(&[]).await;
    let parts = [video_parts(&service), vec![Part::file("photo", &jpeg(100))]].concat();
    service.post("/v1.1/photoverify", &parts).await.expect_error(400, "INVALID_FIELD");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn spoofdetect_takes_its_photo_under_either_name_but_not_both() {
    let service = Service::working(&[]).await;
    for name in ["photo", "id_card"] {
        let response =
            service.post("/v1.1/spoofdetect", &[service.key_part(), Part::file(name, &jpeg(100))]).await;
        assert_eq!(response.status, 200, "{response:?}");
        assert_eq!(response.json()["predictions"]["metadata"]["num_faces"], 1);
    }
    let both = [service.key_part(), Part::file("photo", &jpeg(100)), Part::file("id_card", &jpeg(100))];
    service.post("/v1.1/spoofdetect", &both).await.expect_error(400, "INVALID_FIELD");
}

#[tokio::test]
async fn digits_of_other_scripts_are_folded_and_the_language_is_echoed_as_sent() {
    let service = Service::start(&[]).await;
    service.respond(|verification| {
        let mut report = crate::reports::video();
        if let countersign_shared::domain::Evidence::Video(evidence) = &mut report.evidence {
            evidence.speech.expected = verification.request.challenge;
        }
        countersign_shared::store::Outcome::Succeeded(Box::new(report))
    });
    let mut parts = video_parts(&service);
    parts[3] = Part::text("audiochallenge", "๐๑๒345");
    parts[4] = Part::text("languageCode", "TH_th");
    let response = service.post("/v1.1/videoverify", &parts).await;
    assert_eq!(response.status, 200, "{response:?}");
    let input = response.json()["predictions"]["model_input"].clone();
    assert_eq!(
        (&input["audiochallenge"], &input["languageCode"]),
        (&Value::from("012345"), &Value::from("TH_th"))
    );
}

#[tokio::test]
async fn text_fields_that_are_wrong_are_refused_and_nothing_is_kept() {
    let service = Service::working(&[]).await;
    let long = "x".repeat(4097);
    for (name, value, status, code) in [
        ("audiochallenge", "12345", 400, "INVALID_FIELD"),
        ("audiochallenge", "12345a", 400, "INVALID_FIELD"),
        ("audiochallenge", "", 400, "MISSING_FIELD"),
        ("languageCode", "tlh-KX", 400, "UNSUPPORTED_LANGUAGE"),
        ("languageCode", "", 400, "MISSING_FIELD"),
        ("languageCode", &long, 400, "INVALID_FIELD"),
    ] {
        let mut parts = video_parts(&service);
        let index = if name == "audiochallenge" { 3 } else { 4 };
        parts[index] = Part::text(name, value);
        service.post("/v1.1/videoverify", &parts).await.expect_error(status, code);
    }
    service.keeps_nothing().await;
}

#[tokio::test]
async fn each_missing_field_is_named() {
    let service = Service::working(&[]).await;
    for (index, name) in [(1, "id_card"), (2, "video"), (3, "audiochallenge"), (4, "languageCode")] {
        let mut parts = video_parts(&service);
        parts.remove(index);
        let response = service.post("/v1.1/videoverify", &parts).await;
        response.expect_error(400, "MISSING_FIELD");
        assert!(
            response.header("x-error-detail").is_some_and(|detail| detail.contains(name)),
            "{response:?}"
        );
    }
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_part_that_is_there_twice_is_refused() {
    let service = Service::working(&[]).await;
    for index in 1..5 {
        let mut parts = video_parts(&service);
        parts.push(parts[index].clone());
        service.post("/v1.1/videoverify", &parts).await.expect_error(400, "INVALID_FIELD");
    }
    service.keeps_nothing().await;
}

#[tokio::test]
async fn an_unknown_file_is_refused_and_an_unknown_text_is_not() {
    let service = Service::working(&[]).await;
    let with = |part| [photo_parts(&service), vec![part]].concat();
    let extra = with(Part::file("selfie", &jpeg(100)));
    service.post("/v1.1/photoverify", &extra).await.expect_error(400, "INVALID_FIELD");
    service.keeps_nothing().await;
    let response = service.post("/v1.1/photoverify", &with(Part::text("device", "phone"))).await;
    assert_eq!(response.status, 200, "{response:?}");
}

#[tokio::test]
async fn parts_as_odd_clients_send_them_are_accepted() {
    let service = Service::working(&[]).await;
    for headers in [
        "Content-Disposition: form-data; name=\"photo\"\r\n",
        "Content-Disposition: form-data; name=photo; filename=x.exe\r\nContent-Type: text/plain\r\n",
        "content-disposition: form-data; name=\"photo\"; filename=\"../../etc/passwd\"\r\n",
        "Content-Disposition: form-data; filename=\"รูป.jpg\"; name=\"photo\"\r\n",
        "Content-Disposition: form-data; name=\"photo\"; filename*=utf-8''%E0%B8\r\n",
        "Content-Disposition: form-data; name=\"photo\"; filename=\"a\"\r\nContent-Type: nonsense\r\n",
        "Content-Disposition: form-data; name=\"photo\"; filename=\"a\"\r\nContent-Transfer-Encoding: Binary\r\n",
    ] {
        let mut parts = photo_parts(&service);
        parts[2] = Part::raw(headers, &jpeg(5000));
        let response = service.post("/v1.1/photoverify", &parts).await;
        assert_eq!(response.status, 200, "{headers}: {response:?}");
    }
}

#[tokio::test]
async fn a_part_that_would_have_to_be_decoded_is_refused() {
    let service = Service::working(&[]).await;
    let headers = "Content-Disposition: form-data; name=\"photo\"\r\nContent-Transfer-Encoding: base64\r\n";
    let mut parts = photo_parts(&service);
    parts[2] = Part::raw(headers, b"/9j/4AAQSkZJRg==");
    service.post("/v1.1/photoverify", &parts).await.expect_error(400, "INVALID_FIELD");
}

#[tokio::test]
async fn a_request_that_is_no_form_is_refused() {
    let service = Service::working(&[]).await;
    for content_type in
        ["application/json", "multipart/form-data", "multipart/mixed; boundary=x", "text/plain"]
    {
        let mut connection = Connection::open(service.address).await;
        let request = format!(
            "POST /v1.1/photoverify HTTP/1.1\r\nHost: x\r\nContent-Type: {content_type}\r\nContent-Length: 2\r\n\r\n{{}}"
        );
        connection.send(request.as_bytes()).await.expect("the service reads");
        connection.receive().await.expect_error(400, "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn a_form_that_is_malformed_is_refused() {
    let service = Service::working(&[]).await;
    for body in [
        "",
        "no boundary at all",
        "------CountersignBoundary\r\nno-colon\r\n\r\nx\r\n------CountersignBoundary--",
    ] {
        let mut connection = Connection::open(service.address).await;
        let request = format!("{}{body}", head("/v1.1/photoverify", &[], body.len()));
        connection.send(request.as_bytes()).await.expect("the service reads");
        connection.receive().await.expect_error(400, "INVALID_REQUEST");
    }
}

#[tokio::test]
async fn too_many_parts_are_refused() {
    let service = Service::working(&[]).await;
    let parts: Vec<Part> = (0..40).map(|index| Part::text(&format!("field{index}"), "x")).collect();
    service.post("/v1.1/photoverify", &parts).await.expect_error(400, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_file_is_what_its_bytes_say() {
    let service = Service::working(&[]).await;
    let with = |photo: &[u8]| [&photo_parts(&service)[..2], &[Part::file("photo", photo)]].concat();
    for wrong in [&mp4(1000)[..], b"<html>", b"x", b"PK\x03\x04"] {
        service.post("/v1.1/photoverify", &with(wrong)).await.expect_error(415, "UNSUPPORTED_MEDIA");
    }
    service.post("/v1.1/photoverify", &with(b"")).await.expect_error(400, "MISSING_FIELD");
    let mut parts = video_parts(&service);
    parts[2] = Part::file("video", &jpeg(1000));
    service.post("/v1.1/videoverify", &parts).await.expect_error(415, "UNSUPPORTED_MEDIA");
    service.keeps_nothing().await;
}

#[tokio::test]
async fn curls_expectation_is_met_before_the_body_is_sent() {
    let service = Service::working(&[]).await;
    let body = form(&photo_parts(&service));
    let mut connection = Connection::open(service.address).await;
    let head = head("/v1.1/photoverify", &[("Expect", "100-continue")], body.len());
    connection.send(head.as_bytes()).await.expect("the service reads");
    connection.receives_continue().await;
    connection.send(&body).await.expect("the service reads");
    assert_eq!(connection.receive().await.status, 200);
}

#[tokio::test]
async fn a_chunked_body_is_accepted() {
    let service = Service::working(&[]).await;
    let body = form(&photo_parts(&service));
    let mut connection = Connection::open(service.address).await;
    let head = head("/v1.1/photoverify", &[("Transfer-Encoding", "chunked")], 0)
        .replace("Content-Length: 0\r\n", "");
    connection.send(head.as_bytes()).await.expect("the service reads");
    for chunk in body.chunks(1000) {
        connection
            .send(&[format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat())
            .await
            .expect("read");
    }
    connection.send(b"0\r\n\r\n").await.expect("the service reads");
    assert_eq!(connection.receive().await.status, 200);
}

#[tokio::test]
async fn a_body_that_trickles_in_byte_by_byte_is_read() {
    let service = Service::working(&[]).await;
    let parts = [service.key_part(), Part::file("photo", &jpeg(700))];
    let body = form(&parts);
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/spoofdetect", &[], body.len()).as_bytes()).await.expect("read");
    for byte in body.chunks(1) {
        connection.send(byte).await.expect("read");
    }
    assert_eq!(connection.receive().await.status, 200);
}

#[tokio::test]
async fn a_connection_serves_several_calls() {
    let service = Service::working(&[]).await;
    let mut connection = Connection::open(service.address).await;
    let body = form(&photo_parts(&service));
    let request = [head("/v1.1/photoverify", &[], body.len()).as_bytes(), &body].concat();
    for _ in 0..3 {
        connection.send(&request).await.expect("the service reads");
        assert_eq!(connection.receive().await.status, 200);
    }
}

#[tokio::test]
async fn a_key_in_a_header_needs_none_in_the_form() {
    let service = Service::working(&[]).await;
    let bearer = format!("Bearer {}", service.key);
    for header in [("Authorization", bearer.as_str()), ("X-Api-Key", service.key.as_str())] {
        let parts = &photo_parts(&service)[1..];
        let response = post(service.address, "/v1.1/photoverify", &[header], parts).await;
        assert_eq!(response.status, 200, "{response:?}");
    }
}
