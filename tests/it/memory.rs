//! Memory: what an upload takes is bounded by the chunk, not by the file, and who sends photos alone holds no speech recogniser.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::{StreamExt, stream};
use reqwest::Body;
use reqwest::multipart::Part;

use crate::client::Parts;
use crate::media::{self, DIGITS};
use crate::service::Service;

const PADDING: usize = 90_000_000;
const CHUNK: usize = 250_000;
const MOST_GROWTH: u64 = 30_000_000;

/// The sample video, then an MP4 box that says it is to be skipped.
fn padded_video() -> Vec<u8> {
    let mut bytes = media::bytes("video.mp4");
    let length = u32::try_from(PADDING).expect("fits");
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(b"free");
    bytes.resize(bytes.len() + PADDING - 8, 0);
    bytes
}

#[tokio::test]
async fn a_90_megabyte_upload_takes_less_than_30_megabytes() {
    let service = Arc::new(Service::start(&[]));
    // The first request opens connections, files and threads.
    service.spoof("selfie.jpg").await;
    let before = service.resident_bytes();

    let most = Arc::new(AtomicU64::new(0));
    let bytes = padded_video();
    let chunks: Vec<Vec<u8>> = bytes.chunks(CHUNK).map(<[u8]>::to_vec).collect();
    let length = bytes.len() as u64;
    drop(bytes);
    let (watched, noted) = (Arc::clone(&service), Arc::clone(&most));
    let body = stream::iter(chunks).then(move |chunk| {
        noted.fetch_max(watched.resident_bytes(), Ordering::Relaxed);
        async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            Ok::<_, std::io::Error>(chunk)
        }
    });
    let video = Part::stream_with_length(Body::wrap_stream(body), length).file_name("video.mp4");
    // The file comes last, so that nothing is worked on while it arrives.
    let parts = Parts::new().text("api_key", &service.key).text("audiochallenge", DIGITS);
    let parts = parts.text("languageCode", "en-US").file("id_card", "id_card.jpg").part("video", video);
    let answer = service.post("videoverify", parts).await;
    assert!(answer.passed(), "{}", answer.text);

    let grown = most.load(Ordering::Relaxed).saturating_sub(before);
    assert!(grown < MOST_GROWTH, "{grown} bytes while {length} arrived");
}

#[tokio::test]
async fn the_speech_recogniser_is_loaded_when_the_first_video_comes() {
    let service = Service::start(&[]);
    let listens = || service.threads().iter().any(|name| name.starts_with("speech-"));
    let photo = service.photo("id_card.jpg", "selfie.jpg").await;
    assert!(photo.passed() && !listens(), "{}", photo.text);
    let video = service.video("video.mp4", DIGITS).await;
    assert!(video.passed() && listens(), "{}", video.text);
}
