//! Limits on size, each with its code.

use futures::{StreamExt, stream};
use reqwest::Body;
use reqwest::multipart::Part;

use crate::client::Parts;
use crate::media::{self, DIGITS};
use crate::service::Service;

/// `length` bytes that begin as the sample does.
fn grown(sample: &str, length: usize) -> Part {
    let mut bytes = media::bytes(sample);
    bytes.resize(length, 0);
    Part::bytes(bytes).file_name("large")
}

#[tokio::test]
async fn an_image_of_more_than_20_megabytes_is_refused() {
    let parts = Parts::new().part("photo", grown("selfie.jpg", 20_000_001));
    Service::shared().verify("spoofdetect", parts).await.assert_error(413, "MEDIA_TOO_LARGE");
}

#[tokio::test]
async fn an_image_of_20_megabytes_is_accepted() {
    // What follows a JPEG's end is no part of it.
    let parts = Parts::new().part("photo", grown("selfie.jpg", 20_000_000));
    assert!(Service::shared().verify("spoofdetect", parts).await.passed());
}

#[tokio::test]
async fn a_video_of_more_than_100_megabytes_is_refused() {
    let parts = Parts::new().file("id_card", "id_card.jpg").part("video", grown("video.mp4", 100_000_001));
    let parts = parts.text("audiochallenge", DIGITS).text("languageCode", "en-US");
    Service::shared().verify("videoverify", parts).await.assert_error(413, "MEDIA_TOO_LARGE");
}

#[tokio::test]
async fn a_length_that_is_not_declared_is_bounded_all_the_same() {
    // Chunked, and endless: only the limit ends it.
    let head = media::bytes("selfie.jpg");
    let chunks = stream::once(async { head }).chain(stream::repeat(vec![0; 64 * 1024]));
    let part = Part::stream(Body::wrap_stream(chunks.map(Ok::<_, std::io::Error>)));
    let parts = Parts::new().part("photo", part.file_name("endless.jpg"));
    Service::shared().verify("spoofdetect", parts).await.assert_error(413, "MEDIA_TOO_LARGE");
}

#[tokio::test]
async fn an_image_of_more_than_50_megapixels_is_refused() {
    Service::shared().spoof("too_many_pixels.png").await.assert_error(413, "IMAGE_TOO_LARGE");
}
