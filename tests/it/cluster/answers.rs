//! The documented clients against several front ends and workers with the real models.

use std::sync::Arc;

use super::installation::{Installation, Plan};
use super::node::{Node, Role};
use super::servers::Servers;
use crate::documented_clients::photo_by_curl;
use crate::media::DIGITS;

/// How many jobs the worker has finished.
async fn finished(worker: &Node) -> u64 {
    let page =
        reqwest::get(format!("{}/metrics", worker.url())).await.expect("metrics").text().await.expect("text");
    let counts = page.lines().filter(|line| line.starts_with("countersign_jobs_finished_total{"));
    counts.map(|line| line.rsplit_once(' ').expect("a number").1.parse::<u64>().expect("a number")).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_either_front_end_is_answered_by_any_worker() {
    let Some(servers) = Servers::shared() else { return };
    let plan = Plan { front_ends: 2, workers: 2, worker: Role::Worker, settings: &[] };
    let installation = Installation::start(Arc::new(servers), plan).await;
    let services = [installation.service(0), installation.service(1)];

    for (service, id_card, expected) in
        [(&services[0], "id_card.jpg", true), (&services[1], "other_id_card.jpg", false)]
    {
        assert_eq!(photo_by_curl(service, id_card), expected, "{id_card}");
    }
    // More at once than one worker has permits, so both must work.
    let calls = (0..6).map(|number| services[number % 2].photo("id_card.jpg", "selfie.jpg"));
    let video = services[1].video("video.mp4", DIGITS);
    let (photos, video) = futures::join!(futures::future::join_all(calls), video);
    assert!(photos.iter().all(super::super::client::Answer::passed), "{photos:#?}");
    assert!(video.passed(), "{video:#?}");
    let shares = [finished(&installation.workers[0]).await, finished(&installation.workers[1]).await];
    assert_eq!(shares[0] + shares[1], 9, "{shares:?}");
    assert!(!shares.contains(&0), "one worker did it all: {shares:?}");

    // What one front end has accepted, the other can tell.
    let id = photos[0].header("X-Verification-Id");
    let path = format!("/v2/verifications/{id}");
    assert_eq!(services[0].get(&path).await.json(), services[1].get(&path).await.json());
}
