//! SIGTERM: what runs is finished, what waits is kept, the process ends with 0.

use std::time::Duration;

use crate::media::DIGITS;
use crate::service::Service;

#[tokio::test]
async fn sigterm_lets_a_running_video_finish_and_keeps_the_queued_ones() {
    let settings = [("V1__WAIT", "100ms"), ("WORKER__PERMITS", "1")];
    let service = Service::start(&settings);
    let mut ids = Vec::new();
    for _ in 0..3 {
        let answer = service.video("video.mp4", DIGITS).await;
        answer.assert_error(504, "TIMED_OUT");
        ids.push(answer.header("X-Verification-Id").to_owned());
    }
    let first = service.get(&format!("/v2/verifications/{}", ids[0])).await.json();
    assert_eq!(first["state"], "processing", "{first}");

    let (folder, status) = service.terminate();
    assert!(status.success(), "{status}");

    let service = Service::start_in(folder, &settings);
    let first = service.get(&format!("/v2/verifications/{}", ids[0])).await.json();
    assert_eq!((&first["state"], &first["attempts"]), (&"succeeded".into(), &1.into()), "{first}");
    for id in &ids {
        let verification = service.finished(id, Duration::from_secs(90)).await;
        assert_eq!(verification["verdict"], "passed", "{verification}");
    }
}

#[tokio::test]
async fn a_call_that_waits_is_told_where_its_result_will_be() {
    let service = Service::start(&[("V1__WAIT", "100ms")]);
    let answer = service.video("video.mp4", DIGITS).await;
    answer.assert_error(504, "TIMED_OUT");
    assert!(answer.header("Retry-After").parse::<u32>().is_ok());
    let location = answer.header("Location").to_owned();
    assert_eq!(location, format!("/v2/verifications/{}", answer.header("X-Verification-Id")));
    let id = answer.header("X-Verification-Id");
    assert_eq!(service.finished(id, Duration::from_mins(1)).await["verdict"], "passed");
}

#[tokio::test]
async fn a_second_sigterm_ends_the_process_at_once_and_loses_nothing() {
    let settings = [("V1__WAIT", "100ms"), ("WORKER__PERMITS", "1"), ("WORKER__LEASE", "2s")];
    let service = Service::start(&settings);
    let answer = service.video("video.mp4", DIGITS).await;
    answer.assert_error(504, "TIMED_OUT");
    let id = answer.header("X-Verification-Id").to_owned();
    let (folder, status) = service.terminate_twice();
    assert_eq!(status.code(), Some(130), "{status}");
    let service = Service::start_in(folder, &settings);
    assert_eq!(service.finished(&id, Duration::from_secs(90)).await["verdict"], "passed");
}

#[tokio::test]
async fn a_client_that_keeps_its_connection_holds_no_stop_up() {
    let service = Service::start(&[("SERVER__DRAIN", "1h")]);
    assert_eq!(service.get("/healthz").await.status, 200);
    let (_, status) = service.terminate();
    assert!(status.success(), "{status}");
}
