//! Every process replaced by another, one after the other, while calls go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;

use super::callers::{Caller, Told};
use super::installation::{Installation, Plan};
use super::node::{Node, Role};
use super::servers::Servers;

const CALLERS: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn every_process_is_replaced_and_no_job_is_lost_or_done_twice() {
    let Some(servers) = Servers::shared() else { return };
    // Nobody dies here, so a lease that runs out would only say that the machine is busy.
    let settings = [("WORKER__PERMITS", "3"), ("WORKER__LEASE", "30s")];
    let plan = Plan { front_ends: 2, workers: 2, worker: Role::FakeWorker(50, 150), settings: &settings };
    let mut installation = Installation::start(Arc::new(servers), plan).await;
    let urls: Vec<String> = installation.front_ends.iter().map(Node::url).collect();
    let (stop, numbers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(1)));
    let callers: Vec<_> = (0..CALLERS)
        .map(|which| {
            let (caller, urls) = (Caller::new(&installation.key), urls.clone());
            let (stop, numbers) = (Arc::clone(&stop), Arc::clone(&numbers));
            tokio::spawn(async move {
                let (mut results, mut url) = (0, which);
                while !stop.load(Ordering::Relaxed) {
                    let asked = numbers.fetch_add(1, Ordering::Relaxed);
                    match caller.spoofdetect(&urls[url % urls.len()], asked).await {
                        Told::Result { number, .. } => {
                            assert_eq!(number, asked, "somebody else's result");
                            results += 1;
                        }
                        // This one is being replaced: ask the other.
                        Told::Refused { .. } | Told::Nothing => url += 1,
                        other => panic!("{asked}: {other:?}"),
                    }
                }
                results
            })
        })
        .collect();

    for index in 0..installation.workers.len() + installation.front_ends.len() {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let node = installation.nodes().nth(index).expect("a node");
        node.terminate();
        let status = node.ended(Duration::from_secs(15)).await;
        assert!(status.success(), "{} ended with {status}:\n{}", node.name, node.log());
        node.start();
        node.wait_until_ready().await;
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let results: u64 =
        join_all(callers).await.into_iter().map(|results| results.expect("a caller ends")).sum();

    assert!(results > 30, "{results} calls say little");
    let unfinished = "SELECT count(*) FROM verifications WHERE state IN ('queued', 'processing')";
    installation.until(unfinished, 0, Duration::from_secs(10)).await;
    let count = |condition: &str| {
        installation.rows.number(&format!("SELECT count(*) FROM verifications WHERE {condition}"))
    };
    // Canceled are those whose caller saw its connection end.
    assert_eq!(count("state NOT IN ('succeeded', 'canceled')"), 0);
    assert_eq!(count("attempts > 1"), 0, "a worker that drains finishes what it has");
    assert!(count("state = 'succeeded'") >= results);
    assert!(count("state = 'canceled'") <= CALLERS as u64 * 2);
}
