//! The way of a job to its end.

use std::time::Duration;

use countersign_shared::domain::{Failure, ProblemCode, State};
use countersign_shared::queue::JobMessage;
use countersign_shared::store::contract::report;
use tokio::time::timeout;

use super::house::{House, PATIENCE, step, until_cancelled};
use crate::intake::Handled;
use crate::pipeline::PipelineError;

#[tokio::test]
async fn a_job_is_finished_with_its_report_and_its_waiter_is_told() {
    let house = House::new().await;
    let new = house.accept().await;
    let mut waiter = house.adapters.signal.listen(new.id).await;
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    timeout(PATIENCE, waiter.changed()).await.expect("the waiter is told");
    let row = house.row(&new).await;
    assert_eq!((row.state, row.attempts, row.report), (State::Succeeded, 1, Some(report())));
    assert_eq!(step(&mut worker).await, Handled::Idle);
    assert_eq!(pipeline.runs(), 1);
    assert_eq!(house.adapters.stores.outbox.depth().await.expect("a count"), 0);
}

#[tokio::test]
async fn a_message_that_is_delivered_twice_finishes_its_job_once() {
    let house = House::new().await;
    let new = house.accept().await;
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    house.publish(&JobMessage::new(new.id, None)).await;
    assert_eq!(step(&mut worker).await, Handled::Gone);
    assert_eq!(step(&mut worker).await, Handled::Idle);
    assert_eq!(pipeline.runs(), 1);
}

#[tokio::test]
async fn a_job_that_another_worker_holds_is_left_to_it() {
    let house = House::new().await;
    let new = house.accept().await;
    house.adapters.stores.verifications.claim(new.id, "other", PATIENCE).await.expect("claimed");
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Held);
    assert_eq!(pipeline.runs(), 0);
}

#[tokio::test]
async fn a_job_canceled_while_it_waits_costs_no_inference() {
    let house = House::new().await;
    let new = house.accept().await;
    house.publish(&JobMessage::new(new.id, None)).await;
    house.adapters.stores.verifications.cancel(new.tenant, new.id).await.expect("canceled");
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Gone);
    assert_eq!(pipeline.runs(), 0);
}

#[tokio::test]
async fn unusable_media_fail_the_job_at_once_with_their_code() {
    let house = House::new().await;
    let new = house.accept().await;
    let failure = Failure::new(ProblemCode::MediaUnreadable, "the photo ends early");
    let told = failure.clone();
    let (mut worker, pipeline) = house.worker(move |_, _| Err(PipelineError::Permanent(told.clone())));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Failed));
    assert_eq!(house.row(&new).await.error, Some(failure));
    assert_eq!(pipeline.runs(), 1);
}

#[tokio::test]
async fn a_failure_of_our_own_is_tried_again_and_in_the_end_fails_visibly() {
    let house = House::new().await;
    let new = house.accept().await;
    let mut waiter = house.adapters.signal.listen(new.id).await;
    let (mut worker, pipeline) =
        house.worker(|_, _| Err(PipelineError::Retryable("an engine is away".to_owned())));
    assert_eq!(step(&mut worker).await, Handled::Retried);
    assert_eq!(house.row(&new).await.state, State::Queued);
    assert_eq!(step(&mut worker).await, Handled::Retried);
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Failed));
    assert_eq!(step(&mut worker).await, Handled::Idle);
    let row = house.row(&new).await;
    assert_eq!((row.state, row.attempts), (State::Failed, 3));
    assert_eq!(row.error.map(|error| error.code), Some(ProblemCode::Internal));
    assert_eq!(pipeline.runs(), 3);
    timeout(PATIENCE, waiter.changed()).await.expect("the waiter is told");
}

#[tokio::test]
async fn a_panic_in_the_pipeline_is_a_retry() {
    let house = House::new().await;
    let new = house.accept().await;
    let (mut worker, _) = house.worker(|_, run| {
        assert!(run > 1, "the first run panics");
        Ok(report())
    });
    assert_eq!(step(&mut worker).await, Handled::Retried);
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    assert_eq!(house.row(&new).await.attempts, 2);
}

#[tokio::test]
async fn a_job_that_takes_too_long_is_stopped_and_tried_again() {
    let house = House::with(|config| config.worker.job_time = Duration::from_millis(50)).await;
    let new = house.accept().await;
    let (mut worker, _) = house.worker(|job, run| if run == 1 { until_cancelled(job) } else { Ok(report()) });
    assert_eq!(step(&mut worker).await, Handled::Retried);
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    assert_eq!(house.row(&new).await.attempts, 2);
}

#[tokio::test]
async fn a_job_without_its_media_fails() {
    let house = House::new().await;
    let new = house.accept().await;
    house.adapters.blobs.delete_all(new.id).await.expect("deleted");
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Failed));
    assert_eq!(house.row(&new).await.error.map(|error| error.code), Some(ProblemCode::Internal));
    assert_eq!(pipeline.runs(), 0);
}

#[tokio::test]
async fn a_message_of_a_newer_version_is_left_to_newer_workers() {
    let house = House::new().await;
    let new = house.accept().await;
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    let batch = house.adapters.stores.outbox.take(new.request.lane(), 1).await.expect("rows");
    let sequence = batch.rows()[0].sequence;
    batch.sent(&[sequence]).await.expect("removed");
    house.publish(&JobMessage { v: 99, ..JobMessage::new(new.id, None) }).await;
    assert_eq!(step(&mut worker).await, Handled::Newer);
    assert_eq!(step(&mut worker).await, Handled::Idle);
    assert_eq!((house.row(&new).await.state, pipeline.runs()), (State::Queued, 0));
}

#[tokio::test]
async fn more_jobs_than_the_queue_holds_are_all_finished() {
    const JOBS: usize = 150;
    let house = House::with(|config| config.queue.window = 1).await;
    for _ in 0..JOBS {
        house.accept().await;
    }
    let (mut worker, pipeline) = house.worker(|_, _| Ok(report()));
    assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    assert!(
        house.adapters.stores.outbox.depth().await.expect("a count") > 0,
        "the queue took them all at once"
    );
    for _ in 1..JOBS {
        assert_eq!(step(&mut worker).await, Handled::Finished(State::Succeeded));
    }
    assert_eq!(step(&mut worker).await, Handled::Idle);
    assert_eq!(pipeline.runs() as usize, JOBS);
}
