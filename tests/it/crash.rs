//! SIGKILL in the middle of the work: after a restart every accepted job finishes, once.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::join_all;

use crate::media::DIGITS;
use crate::service::Service;

/// `scripts/kill-test 50` asks for more.
fn videos() -> usize {
    std::env::var_os("COUNTERSIGN_TEST_KILLED_VIDEOS")
        .map_or(8, |count| count.to_str().and_then(|count| count.parse().ok()).expect("a number"))
}

#[tokio::test]
async fn killed_in_the_middle_of_queued_videos_it_finishes_each_once_after_a_restart() {
    // A short lease, so that what the dead process held is free again soon.
    let settings = [("V1__WAIT", "1s"), ("WORKER__LEASE", "3s"), ("WORKER__REAP_EVERY", "1s")];
    let count = videos();
    let service = Service::start(&settings);
    let answers = join_all((0..count).map(|_| service.video("video.mp4", DIGITS))).await;
    let ids: HashSet<String> =
        answers.iter().map(|answer| answer.header("X-Verification-Id").to_owned()).collect();
    assert_eq!(ids.len(), count);
    let mut states = Vec::new();
    for id in &ids {
        states.push(service.get(&format!("/v2/verifications/{id}")).await.json()["state"].clone());
    }
    let unfinished = states.iter().filter(|state| *state != "succeeded").count();
    assert!(unfinished > count / 2, "killed too late to mean anything: {states:?}");

    let service = Service::start_in(service.kill(), &settings);
    let patience = Duration::from_secs(60 + 10 * count as u64);
    let mut results = Vec::new();
    for id in &ids {
        let verification = service.finished(id, patience).await;
        assert_eq!(verification["verdict"], "passed", "{verification}");
        assert!(verification["attempts"].as_u64().is_some_and(|attempts| attempts <= 2), "{verification}");
        results.push(verification);
    }

    // Finished is finished: nothing is done again, and a further restart changes nothing.
    let service = Service::start_in(service.kill(), &settings);
    tokio::time::sleep(Duration::from_secs(4)).await;
    for result in &results {
        let id = result["id"].as_str().expect("an id");
        assert_eq!(&service.get(&format!("/v2/verifications/{id}")).await.json(), result);
    }
}
