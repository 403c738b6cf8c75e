//! Pictures of different jobs go through a model together, as they do on a GPU, and every job gets its own answer.

use futures::future::join_all;

use crate::client::Answer;
use crate::service::Service;

/// One session for all, and time for the others to come: on this machine's processor, as many as there are jobs.
const BATCHES: [(&str, &str); 4] = [
    ("MODELS__MAX_BATCH", "4"),
    ("MODELS__BATCH_DELAY", "50ms"),
    ("MODELS__SESSIONS", "1"),
    ("WORKER__PERMITS", "4"),
];

const PAIRS: [(&str, &str); 4] = [
    ("id_card.jpg", "selfie.jpg"),
    ("other_id_card.jpg", "selfie.jpg"),
    ("id_card.jpg", "other_selfie.jpg"),
    ("id_card.jpg", "no_face.jpg"),
];

/// Batched sums are made in another order, so the last digits may differ.
const NEAR: f64 = 1e-3;

fn distance(answer: &Answer) -> Option<f64> {
    answer.predictions()["verification"]["breakdown"]["photo"]["distance"].as_f64()
}

#[tokio::test]
async fn jobs_in_one_batch_get_the_answers_that_each_gets_alone() {
    let (together, alone) = (Service::start(&BATCHES), Service::shared());
    let batched = join_all(PAIRS.map(|(id_card, photo)| together.photo(id_card, photo))).await;
    for ((id_card, photo), batched) in PAIRS.into_iter().zip(batched) {
        let single = alone.photo(id_card, photo).await;
        assert_eq!(batched.passed(), single.passed(), "{id_card} {photo}: {}", batched.text);
        match (distance(&batched), distance(&single)) {
            (Some(batched), Some(single)) => assert!((batched - single).abs() < NEAR, "{batched} {single}"),
            neither => assert_eq!(neither, (None, None)),
        }
    }
    let metrics = together.get("/metrics").await.text;
    let several = |line: &str| {
        line.starts_with("countersign_inference_seconds_count") && line.contains("shape=\"4x3x112x112\"")
    };
    assert!(metrics.lines().any(several), "no batch of four was run:\n{metrics}");
}
