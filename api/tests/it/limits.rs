//! What is too much, what breaks off, and that none of it leaves anything behind.

use std::time::Duration;

use crate::client::{Connection, Part, form, head};
use crate::media::{jpeg, mp4};
use crate::service::Service;

/// The start of a photo's form, up to and including the first bytes of its file.
fn beginning(service: &Service, name: &str, file: &[u8]) -> Vec<u8> {
    let mut body = form(&[service.key_part(), Part::file(name, file)]);
    let end = b"\r\n------CountersignBoundary--\r\n".len();
    body.truncate(body.len() - end);
    body
}

#[tokio::test]
async fn a_file_over_its_limit_is_refused_while_it_streams() {
    let service = Service::working(&[("LIMITS__IMAGE_BYTES", "100KiB")]).await;
    let mut connection = Connection::open(service.address).await;
    // Declared within what the whole request may be, so only the part's own limit can speak.
    connection.send(head("/v1.1/photoverify", &[], 1_100_000).as_bytes()).await.expect("read");
    connection.send(&beginning(&service, "photo", &jpeg(150_000))).await.expect("read");
    let response = connection.receive().await;
    response.expect_error(413, "MEDIA_TOO_LARGE");
    assert_eq!(response.header("connection"), Some("close"));
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_file_of_exactly_the_limit_is_accepted() {
    let service = Service::working(&[("LIMITS__IMAGE_BYTES", "100KiB")]).await;
    let with = |bytes| [service.key_part(), Part::file("photo", &jpeg(bytes))];
    assert_eq!(service.post("/v1.1/spoofdetect", &with(102_400)).await.status, 200);
    service.post("/v1.1/spoofdetect", &with(102_401)).await.expect_error(413, "MEDIA_TOO_LARGE");
}

#[tokio::test]
async fn a_request_that_declares_too_much_is_refused_unread() {
    let service = Service::working(&[]).await;
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/photoverify", &[], 2_000_000_000).as_bytes()).await.expect("read");
    connection.receive().await.expect_error(413, "MEDIA_TOO_LARGE");
}

#[tokio::test]
async fn an_endless_body_that_belongs_to_no_part_is_cut_off() {
    let service = Service::working(&[("LIMITS__IMAGE_BYTES", "1KiB")]).await;
    let mut connection = Connection::open(service.address).await;
    let head = head("/v1.1/spoofdetect", &[("Transfer-Encoding", "chunked")], 0)
        .replace("Content-Length: 0\r\n", "");
    connection.send(head.as_bytes()).await.expect("read");
    let line =
        [b"10000\r\n".as_slice(), &[b"x\r\n\r\n".repeat(13_107).as_slice(), b"x"].concat(), b"\r\n"].concat();
    for _ in 0..40 {
        if connection.send(&line).await.is_err() {
            break;
        }
    }
    connection.receive().await.expect_error(413, "MEDIA_TOO_LARGE");
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let service = Service::working(&[]).await;
    for (path, name, file) in [
        ("/v1.1/photoverify", "photo", jpeg(400)),
        ("/v1.1/photoverify", "photo", jpeg(400_000)),
        ("/v1.1/videoverify", "video", mp4(900_000)),
    ] {
        let mut connection = Connection::open(service.address).await;
        connection.send(head(path, &[], 5_000_000).as_bytes()).await.expect("read");
        connection.send(&beginning(&service, "id_card", &jpeg(300_000))).await.expect("read");
        let second = form(&[Part::file(name, &file)]);
        connection.send(b"\r\n").await.expect("read");
        connection.send(&second[..second.len() / 2]).await.expect("read");
        service.eventually("the first file is stored", || async { !service.files().is_empty() }).await;
        drop(connection);
        service.keeps_nothing().await;
    }
}

#[tokio::test]
async fn a_form_that_ends_too_early_is_refused_and_leaves_nothing() {
    let service = Service::working(&[]).await;
    let whole =
        form(&[service.key_part(), Part::file("id_card", &jpeg(5000)), Part::file("photo", &jpeg(5000))]);
    for length in [whole.len() / 3, whole.len() - 3000, whole.len() - 10] {
        let mut connection = Connection::open(service.address).await;
        connection.send(head("/v1.1/photoverify", &[], length).as_bytes()).await.expect("read");
        connection.send(&whole[..length]).await.expect("read");
        connection.receive().await.expect_error(400, "INVALID_REQUEST");
    }
    service.keeps_nothing().await;
}

#[tokio::test]
async fn a_client_that_takes_too_long_is_refused_and_leaves_nothing() {
    let service = Service::working(&[("LIMITS__UPLOAD_TIME", "300ms")]).await;
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/photoverify", &[], 1_000_000).as_bytes()).await.expect("read");
    connection.send(&beginning(&service, "photo", &jpeg(50_000))).await.expect("read");
    let response = connection.receive().await;
    response.expect_error(400, "INVALID_REQUEST");
    assert_eq!(response.header("connection"), Some("close"));
    service.keeps_nothing().await;
}

#[tokio::test]
async fn more_uploads_than_there_are_places_are_turned_away() {
    let service = Service::working(&[("LIMITS__UPLOADS", "1")]).await;
    let parts = [service.key_part(), Part::file("photo", &jpeg(5000))];
    let mut slow = Connection::open(service.address).await;
    slow.send(head("/v1.1/spoofdetect", &[], 1_000_000).as_bytes()).await.expect("read");
    slow.send(&beginning(&service, "photo", &jpeg(300_000))).await.expect("read");
    service.eventually("the first upload has begun", || async { !service.files().is_empty() }).await;

    let response = service.post("/v1.1/spoofdetect", &parts).await;
    response.expect_error(503, "QUEUE_FULL");
    assert_eq!(response.header("retry-after"), Some("5"));

    drop(slow);
    service.eventually("the place is free", || async { service.files().is_empty() }).await;
    assert_eq!(service.post("/v1.1/spoofdetect", &parts).await.status, 200);
}

/// The whole test process, client included, stays far below the size of the file that passes through it.
#[tokio::test]
async fn memory_does_not_grow_with_the_file() {
    const FILE: usize = 96_000_000;
    const CHUNK: usize = 1_000_000;
    let service = Service::working(&[]).await;
    let start = [beginning(&service, "id_card", &jpeg(1000)), b"\r\n".to_vec()].concat();
    let video = form(&[Part::file("video", &mp4(CHUNK))]);
    let opening = &video[..video.len() - b"\r\n------CountersignBoundary--\r\n".len()];
    let ending = form(&[Part::text("audiochallenge", "123456"), Part::text("languageCode", "en-US")]);
    let filler = vec![0x55_u8; CHUNK];

    let length = start.len() + opening.len() + FILE + 2 + ending.len();
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/videoverify", &[], length).as_bytes()).await.expect("read");
    connection.send(&start).await.expect("read");
    connection.send(opening).await.expect("read");
    let before = resident_bytes();
    let mut most = before;
    for _ in 0..FILE / CHUNK {
        connection.send(&filler).await.expect("read");
        most = most.max(resident_bytes());
    }
    connection.send(b"\r\n").await.expect("read");
    connection.send(&ending).await.expect("read");
    assert_eq!(connection.receive().await.status, 200);
    let grown = most.saturating_sub(before);
    assert!(grown < FILE as u64 / 4, "grew by {grown} bytes");
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").expect("Linux tells a process's memory");
    let pages: u64 = status.split(' ').nth(1).and_then(|text| text.parse().ok()).expect("resident pages");
    pages * 4096
}

#[tokio::test]
async fn a_refused_client_that_goes_on_sending_still_reads_why() {
    let service = Service::working(&[("LIMITS__IMAGE_BYTES", "10KiB")]).await;
    let mut connection = Connection::open(service.address).await;
    connection.send(head("/v1.1/photoverify", &[], 1_000_000).as_bytes()).await.expect("read");
    connection.send(&beginning(&service, "photo", &jpeg(20_000))).await.expect("read");
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..8 {
        connection.send(&vec![0x55; 100_000]).await.expect("the service goes on reading for a while");
    }
    connection.receive().await.expect_error(413, "MEDIA_TOO_LARGE");
    assert!(connection.is_closed().await);
}
