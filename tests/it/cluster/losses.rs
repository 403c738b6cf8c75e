//! What is lost when a part is: time, and nothing else.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callers::{Caller, Told};
use super::installation::{Installation, Plan};
use super::node::{Node, Role};
use super::servers::{Server, Servers};

/// The front end looks at the row this often when nothing wakes it.
const LOOK_EVERY: Duration = Duration::from_secs(1);

fn assert_result(told: &Told, expected: u64) {
    assert!(matches!(told, Told::Result { number, .. } if *number == expected), "{expected}: {told:?}");
}

/// The worker that has the job, once its pipeline runs.
async fn busy(workers: &mut [Node]) -> &mut Node {
    let deadline = Instant::now() + Duration::from_secs(30);
    for index in (0..workers.len()).cycle() {
        assert!(Instant::now() < deadline, "no worker has the job");
        let page = reqwest::get(format!("{}/metrics", workers[index].url())).await.expect("metrics");
        if page.text().await.expect("text").lines().any(|line| line == "countersign_permits_in_use 1") {
            return &mut workers[index];
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    unreachable!("a cycle has no end")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_is_away_results_come_later_and_right() {
    let Some(servers) = Servers::shared() else { return };
    let plan = Plan { front_ends: 2, workers: 1, worker: Role::FakeWorker(10, 10), settings: &[] };
    let mut installation = Installation::start(Arc::new(servers), plan).await;
    let caller = Caller::new(&installation.key);
    let urls: Vec<String> = installation.front_ends.iter().map(Node::url).collect();
    let call = async |number: u64| {
        let started = Instant::now();
        assert_result(&caller.spoofdetect(&urls[number as usize % 2], number).await, number);
        started.elapsed()
    };

    // The first ones open connections.
    let mut with = Duration::MAX;
    for number in 1..6 {
        with = with.min(call(number).await);
    }
    assert!(with < LOOK_EVERY / 2, "{with:?}: nobody was woken");

    installation.nodes().for_each(|node| node.wire(Server::Redis).cut());
    let mut without = Duration::ZERO;
    for number in 6..10 {
        without = without.max(call(number).await);
    }
    assert!(without < LOOK_EVERY * 3, "{without:?}");

    installation.nodes().for_each(|node| node.wire(Server::Redis).heal());
    let deadline = Instant::now() + Duration::from_secs(20);
    for number in 10.. {
        if call(number).await < LOOK_EVERY / 2 {
            break;
        }
        assert!(Instant::now() < deadline, "Redis is back, and nobody is woken:\n{}", installation.logs());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_of_a_worker_that_is_killed_is_finished_by_another() {
    let Some(servers) = Servers::shared() else { return };
    let plan = Plan { front_ends: 1, workers: 2, worker: Role::FakeWorker(6000, 6000), settings: &[] };
    let mut installation = Installation::start(Arc::new(servers), plan).await;
    let (caller, url) = (Caller::new(&installation.key), installation.front_ends[0].url());
    let call = tokio::spawn(async move { caller.spoofdetect(&url, 4711).await });

    installation
        .until("SELECT count(*) FROM verifications WHERE state = 'processing'", 1, Duration::from_secs(30))
        .await;
    busy(&mut installation.workers).await.kill();

    assert_result(&call.await.expect("the call ends"), 4711);
    let rows = installation.rows.all("SELECT state, attempts FROM verifications");
    assert_eq!(rows, [["succeeded", "2"]]);
}
