//! What happens to jobs when the worker is asked to stop.

use std::time::Duration;

use countersign_shared::domain::State;
use countersign_shared::store::contract::report;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::house::{House, PATIENCE, step, until_cancelled};
use crate::intake::Handled;

#[tokio::test]
async fn a_running_job_is_finished_before_the_worker_stops() {
    let house = House::new().await;
    let new = house.accept().await;
    let (shutdown, started) = (CancellationToken::new(), CancellationToken::new());
    let (worker, _) = house.worker({
        let started = started.clone();
        move |_, _| {
            started.cancel();
            std::thread::sleep(Duration::from_millis(300));
            Ok(report())
        }
    });
    let running = tokio::spawn(worker.run(shutdown.clone()));
    timeout(PATIENCE, started.cancelled()).await.expect("it starts");
    let late = house.accept().await;
    shutdown.cancel();
    timeout(PATIENCE, running).await.expect("it stops").expect("it does not panic");
    assert_eq!(house.row(&new).await.state, State::Succeeded);
    assert!(matches!(house.row(&late).await.state, State::Queued | State::Succeeded));
}

#[tokio::test]
async fn a_job_that_outlasts_the_drain_is_given_back_without_using_up_an_attempt() {
    let mut house = House::with(|config| config.server.drain = Duration::from_millis(100)).await;
    let new = house.accept().await;
    let (shutdown, started) = (CancellationToken::new(), CancellationToken::new());
    let (worker, _) = house.worker({
        let started = started.clone();
        move |job, _| {
            started.cancel();
            until_cancelled(job)
        }
    });
    let running = tokio::spawn(worker.run(shutdown.clone()));
    timeout(PATIENCE, started.cancelled()).await.expect("it starts");
    shutdown.cancel();
    timeout(PATIENCE, running).await.expect("it stops").expect("it does not panic");
    let row = house.row(&new).await;
    assert_eq!((row.state, row.attempts), (State::Queued, 0));
    house.lose_memory().await;
    let (mut next, _) = house.worker(|_, _| Ok(report()));
    assert!(next.recover().await);
    assert_eq!(step(&mut next).await, Handled::Finished(State::Succeeded));
    assert_eq!(house.row(&new).await.attempts, 1);
}

/// What `run` does without being stepped: it recovers, relays, works on several at once and sweeps.
#[tokio::test]
async fn a_running_worker_finishes_what_it_finds_and_what_comes() {
    let house = House::new().await;
    let mut accepted = vec![house.accept().await];
    house.adapters.stores.verifications.claim(accepted[0].id, "killed", PATIENCE).await.expect("claimed");
    let shutdown = CancellationToken::new();
    let (worker, pipeline) = house.worker(|_, _| Ok(report()));
    let running = tokio::spawn(worker.run(shutdown.clone()));
    for _ in 0..10 {
        accepted.push(house.accept().await);
    }
    for new in &accepted {
        let mut waiter = house.adapters.signal.listen(new.id).await;
        while house.row(new).await.state != State::Succeeded {
            timeout(PATIENCE, waiter.changed()).await.expect("the waiter is told");
        }
    }
    shutdown.cancel();
    timeout(PATIENCE, running).await.expect("it stops").expect("it does not panic");
    assert_eq!(pipeline.runs(), 11);
}
