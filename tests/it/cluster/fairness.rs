//! Many wait: nobody is starved, and a full lane says so.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};

use super::callers::{Caller, Told};
use super::installation::{Installation, Plan};
use super::node::Role;
use super::servers::Servers;

const UNFINISHED: &str = "SELECT count(*) FROM verifications WHERE state IN ('queued', 'processing')";

#[tokio::test(flavor = "multi_thread")]
async fn a_tenants_ten_jobs_do_not_wait_for_anothers_three_hundred() {
    let Some(servers) = Servers::shared() else { return };
    let settings = [("WORKER__PERMITS", "2"), ("WORKER__OFFER_AGAIN_AFTER", "2min"), ("QUEUE__WINDOW", "20")];
    let plan = Plan { front_ends: 1, workers: 1, worker: Role::FakeWorker(10, 10), settings: &settings };
    let installation = Installation::start(Arc::new(servers), plan).await;
    let url = installation.front_ends[0].url();
    let submit = async |tenant: &str, count: u64| {
        let caller = Caller::new(&installation.create_key(tenant));
        let calls = stream::iter(0..count).map(|number| caller.submit(&url, "batch", number));
        let told: Vec<Told> = calls.buffer_unordered(8).collect().await;
        assert!(told.iter().all(|told| matches!(told, Told::Accepted { .. })), "{told:?}");
    };
    installation.workers[0].pause();
    submit("many", 300).await;
    submit("few", 10).await;
    installation.workers[0].resume();
    installation.until(UNFINISHED, 0, Duration::from_mins(1)).await;

    let later = installation.rows.number(
        "SELECT count(*) FROM verifications JOIN tenants ON tenants.id = tenant AND name = 'many'
        WHERE finished_at > (
            SELECT max(finished_at) FROM verifications JOIN tenants ON tenants.id = tenant AND name = 'few'
        )",
    );
    assert!(later > 150, "only {later} of 300 finished after the ten that came last");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_lane_refuses_at_every_front_end_until_there_is_room() {
    let Some(servers) = Servers::shared() else { return };
    let settings = [("LANES__PHOTO_INTERACTIVE", "{ max_depth = 5 }")];
    let plan = Plan { front_ends: 2, workers: 1, worker: Role::FakeWorker(10, 10), settings: &settings };
    let installation = Installation::start(Arc::new(servers), plan).await;
    let urls = [installation.front_ends[0].url(), installation.front_ends[1].url()];
    let caller = Caller::new(&installation.key);
    installation.workers[0].pause();
    for number in 0..5 {
        let told = caller.submit(&urls[number as usize % 2], "interactive", number).await;
        assert!(matches!(told, Told::Accepted { .. }), "{told:?}");
    }
    for url in &urls {
        for told in [caller.submit(url, "interactive", 6).await, caller.spoofdetect(url, 6).await] {
            let Told::Refused { retry_after: Some(seconds), code } = &told else { panic!("{told:?}") };
            assert_eq!((code.as_str(), *seconds > 0), ("QUEUE_FULL", true));
        }
        // Other lanes have room.
        let told = caller.submit(url, "batch", 7).await;
        assert!(matches!(told, Told::Accepted { .. }), "{told:?}");
    }
    installation.workers[0].resume();
    installation.until(UNFINISHED, 0, Duration::from_secs(20)).await;
    let told = caller.spoofdetect(&urls[0], 8).await;
    assert!(matches!(told, Told::Result { number: 8, .. }), "{told:?}");
}
