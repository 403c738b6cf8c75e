//! Workers that die, and leases that are lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_shared::domain::{NewVerification, ProblemCode, State};
use countersign_shared::store::Stores;
use countersign_shared::store::contract::report;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::house::{House, PATIENCE, later, step, until_cancelled};
use crate::intake::Handled;

/// Takes the job away from whoever works on it, as the reaper does when a lease runs out.
fn take_away(runtime: &Handle, stores: &Stores) {
    let now = later();
    let swept = runtime.block_on(stores.upkeep.reoffer(now, now, 3, 10)).expect("a sweep");
    assert_eq!(swept.offered, 1);
}

#[tokio::test]
async fn a_job_whose_worker_dies_is_finished_by_another_after_its_lease() {
    let house = House::new().await;
    let new = house.accept().await;
    let started = CancellationToken::new();
    let stop = Arc::new(AtomicBool::new(false));
    let (mut dying, _) = house.worker({
        let (started, stop) = (started.clone(), stop.clone());
        move |_, _| {
            started.cancel();
            while !stop.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            Ok(report())
        }
    });
    let death = tokio::spawn(async move { dying.step().await });
    timeout(PATIENCE, started.cancelled()).await.expect("it starts");
    death.abort();
    assert!(death.await.is_err());
    let (mut other, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut other).await, Handled::Idle, "the lease still runs");
    other.reap(later()).await;
    assert_eq!(step(&mut other).await, Handled::Finished(State::Succeeded));
    stop.store(true, Ordering::SeqCst);
    assert_eq!((house.row(&new).await.attempts, pipeline.runs()), (2, 1));
}

#[tokio::test]
async fn a_lost_lease_writes_nothing() {
    let house = House::new().await;
    let new = house.accept().await;
    let (runtime, stores) = (Handle::current(), house.adapters.stores.clone());
    let (mut slow, _) = house.worker(move |_, _| {
        take_away(&runtime, &stores);
        Ok(report())
    });
    assert_eq!(step(&mut slow).await, Handled::LeaseLost);
    let row = house.row(&new).await;
    assert_eq!((row.state, row.report), (State::Queued, None));
    let (mut quick, _) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut quick).await, Handled::Finished(State::Succeeded));
}

#[tokio::test]
async fn a_lost_lease_stops_the_pipeline() {
    let house = House::new().await;
    house.accept().await;
    let (runtime, stores) = (Handle::current(), house.adapters.stores.clone());
    let (mut slow, _) = house.worker(move |job, _| {
        take_away(&runtime, &stores);
        until_cancelled(job)
    });
    assert_eq!(step(&mut slow).await, Handled::LeaseLost);
}

#[tokio::test]
async fn a_lease_is_kept_for_as_long_as_the_work_goes_on() {
    let house = House::new().await;
    house.accept().await;
    let (mut worker, _) = house.worker(|_, _| {
        std::thread::sleep(Duration::from_millis(1500));
        Ok(report())
    });
    let stores = house.adapters.stores.clone();
    let (handled, ()) = tokio::join!(step(&mut worker), async {
        sleep(Duration::from_millis(1200)).await;
        let now = countersign_shared::domain::Timestamp::now();
        let swept = stores.upkeep.reoffer(now, now.before(PATIENCE), 3, 10).await.expect("a sweep");
        assert_eq!(swept.offered, 0);
    });
    assert_eq!(handled, Handled::Finished(State::Succeeded));
}

/// As when the job's media crash the process each time.
#[tokio::test]
async fn a_job_that_kills_every_worker_fails_visibly() {
    let house = House::new().await;
    let new = house.accept().await;
    for _ in 0..3 {
        house.adapters.stores.verifications.claim(new.id, "killed", Duration::ZERO).await.expect("claimed");
    }
    let mut waiter = house.adapters.signal.listen(new.id).await;
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    worker.reap(later()).await;
    timeout(PATIENCE, waiter.changed()).await.expect("the waiter is told");
    let row = house.row(&new).await;
    assert_eq!(row.error.map(|error| error.code), Some(ProblemCode::Internal));
    assert_eq!(step(&mut worker).await, Handled::Gone);
    assert_eq!(pipeline.runs(), 0);
}

#[tokio::test]
async fn every_accepted_job_is_finished_once_after_the_process_was_killed() {
    let mut house = House::new().await;
    let mut accepted: Vec<NewVerification> = Vec::new();
    for _ in 0..20 {
        accepted.push(house.accept().await);
    }
    let (mut first, _) = house.worker(|_, _| Ok(report()));
    for _ in 0..5 {
        assert_eq!(step(&mut first).await, Handled::Finished(State::Succeeded));
    }
    for new in &accepted[5..10] {
        house.adapters.stores.verifications.claim(new.id, "killed", PATIENCE).await.expect("claimed");
    }
    drop(first);
    house.lose_memory().await;
    let (mut second, pipeline) = house.worker(|_, _| Ok(report()));
    assert!(second.recover().await);
    for _ in 0..15 {
        assert_eq!(step(&mut second).await, Handled::Finished(State::Succeeded));
    }
    assert_eq!(step(&mut second).await, Handled::Idle);
    assert_eq!(pipeline.runs(), 15);
    for new in &accepted {
        assert_eq!(house.row(new).await.state, State::Succeeded);
    }
}
