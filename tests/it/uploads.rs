//! Uploads: parts in every order, `Expect: 100-continue`, and nothing kept of what is refused or cut off.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::client::Parts;
use crate::media::{self, DIGITS};
use crate::service::Service;

/// Every order of the items.
fn orders<T: Copy>(items: &[T]) -> Vec<Vec<T>> {
    let Some((first, rest)) = items.split_first() else { return vec![vec![]] };
    let insert =
        |order: Vec<T>| (0..=order.len()).map(move |at| [&order[..at], &[*first], &order[at..]].concat());
    orders(rest).into_iter().flat_map(insert).collect()
}

#[tokio::test]
async fn a_photos_parts_come_in_every_order() {
    let service = Service::shared();
    for order in orders(&["id_card", "photo", "api_key"]) {
        let parts = order.iter().fold(Parts::new(), |parts, name| match *name {
            "id_card" => parts.file("id_card", "id_card.jpg"),
            "photo" => parts.file("photo", "selfie.jpg"),
            _ => parts.text("api_key", &service.key),
        });
        let answer = service.post("photoverify", parts).await;
        assert_eq!((answer.status, answer.passed()), (200, true), "{order:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_videos_parts_come_in_every_order_too() {
    let service = Service::shared();
    let names = ["id_card", "video", "audiochallenge", "languageCode", "api_key"];
    // Five digits are refused once every part has been read, so that 120 orders cost no work on videos.
    for order in orders(&names) {
        let parts = order.iter().fold(Parts::new(), |parts, name| match *name {
            "id_card" => parts.file("id_card", "id_card.jpg"),
            "video" => parts.file("video", "audio_only.mp4"),
            "audiochallenge" => parts.text("audiochallenge", "49281"),
            "languageCode" => parts.text("languageCode", "en-US"),
            _ => parts.text("api_key", &service.key),
        });
        let answer = service.post("videoverify", parts).await;
        assert_eq!(answer.text, r#"{"error":"INVALID_FIELD"}"#, "{order:?}");
    }
    // The documented curl with its files first, and in full.
    let last = Parts::new().file("video", "video.mp4").file("id_card", "id_card.jpg");
    let last = last.text("languageCode", "en-US").text("audiochallenge", DIGITS);
    assert!(service.verify("videoverify", last).await.passed());
}

#[test]
fn expect_100_continue_is_answered() {
    let service = Service::shared();
    let curl = Command::new("curl")
        .args(["--silent", "--fail", "--verbose", "--header", "Expect: 100-continue"])
        .args(["-F", &format!("api_key={}", service.key)])
        .args(["-F", &format!("photo=@{}", media::path("selfie.jpg").display())])
        .arg(format!("{}/v1.1/spoofdetect", service.url))
        .output()
        .expect("curl runs");
    assert!(curl.status.success());
    assert!(String::from_utf8_lossy(&curl.stderr).contains("100 Continue"));
}

/// Sends the head of a request with the first part of a photo in it, and goes away.
fn cut_off(service: &Service) {
    let address = service.url.strip_prefix("http://").expect("an address");
    let photo = media::bytes("selfie.png");
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n{}\r\n--edge\r\n\
         Content-Disposition: form-data; name=\"photo\"; filename=\"selfie.png\"\r\n\r\n",
        service.key
    );
    let head = format!(
        "POST /v1.1/spoofdetect HTTP/1.1\r\nHost: {address}\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: {}\r\n\r\n",
        body.len() + photo.len() + 12
    );
    let mut stream = TcpStream::connect(address).expect("a connection");
    stream.write_all(head.as_bytes()).expect("the head is sent");
    stream.write_all(body.as_bytes()).expect("the parts are sent");
    stream.write_all(&photo[..photo.len() / 2]).expect("half the photo is sent");
    stream.flush().expect("flushed");
    // Long enough for the first bytes to be stored.
    std::thread::sleep(Duration::from_millis(300));
}

#[tokio::test]
async fn an_upload_that_is_refused_or_cut_off_leaves_nothing() {
    let service = Service::start(&[]);
    cut_off(&service);
    let wrong_key = Parts::new().file("photo", "selfie.jpg").text("api_key", "wrong");
    service.post("spoofdetect", wrong_key).await.assert_error(401, "INVALID_API_KEY");
    let second_is_text = Parts::new().file("id_card", "id_card.jpg").file("photo", "text.jpg");
    service.verify("photoverify", second_is_text).await.assert_error(415, "UNSUPPORTED_MEDIA");

    let deadline = Instant::now() + Duration::from_secs(10);
    while !service.folder.media_files().is_empty() {
        assert!(
            Instant::now() < deadline,
            "left: {:?}\n{}",
            service.folder.media_files(),
            service.folder.log()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What is accepted is kept until its retention ends, so the count above means something.
    service.spoof("selfie.jpg").await;
    assert_eq!(service.folder.media_files().len(), 1);
}

#[test]
fn a_refusal_before_the_body_ends_closes_the_connection() {
    let service = Service::shared();
    let address = service.url.strip_prefix("http://").expect("an address");
    let mut stream = TcpStream::connect(address).expect("a connection");
    let head = format!(
        "POST /v1.1/spoofdetect HTTP/1.1\r\nHost: {address}\r\nX-Api-Key: wrong\r\n\
         Content-Type: multipart/form-data; boundary=edge\r\nContent-Length: 1000000\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).expect("the head is sent");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let mut answer = String::new();
    // Ends only because the service closes: the announced body never comes.
    stream.read_to_string(&mut answer).expect("an answer, then the end");
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.to_ascii_lowercase().contains("connection: close"), "{answer}");
}
