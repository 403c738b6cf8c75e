//! The pipeline on a thread of its own, under a deadline.

use std::any::Any;
use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use countersign_shared::blob::{BlobError, LocalBlob};
use countersign_shared::domain::{Failure, MediaRole, ProblemCode, Report, Request};
use countersign_shared::telemetry::events;
use countersign_shared::telemetry::metrics::PermitInUse;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::oneshot::{self, error::RecvError};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::Span;

use super::attempt::Context;
use crate::pipeline::{Job, PipelineError};

/// How the work on a job ended.
pub(super) enum Ended {
    Report(Box<Report>),
    Permanent(Failure),
    Retryable(String),
    Stopped(Stop),
}

/// Why the work was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Deadline,
    LeaseLost,
    Draining,
}

type Finished = Result<Result<Report, PipelineError>, Box<dyn Any + Send>>;

/// Runs the pipeline until it is done, its time is over, the lease is lost or the worker drains.
pub(super) async fn execute(
    context: &Context,
    request: Request,
    lost: &CancellationToken,
    permit: OwnedSemaphorePermit,
) -> Ended {
    let fetched = tokio::select! {
        biased;
        fetched = fetch(context, &request) => fetched,
        () = lost.cancelled() => return Ended::Stopped(Stop::LeaseLost),
        () = context.draining.cancelled() => return Ended::Stopped(Stop::Draining),
        () = sleep(context.settings.job_time) => return Ended::Stopped(Stop::Deadline),
    };
    let files = match fetched {
        Ok(files) => files,
        Err(BlobError::NotFound) => {
            return Ended::Permanent(Failure::new(ProblemCode::Internal, "the media are gone"));
        }
        Err(error) => {
            events::dependency_failed("fetch media", &error);
            return Ended::Retryable("the media could not be fetched".to_owned());
        }
    };
    let cancelled = CancellationToken::new();
    let job = Job {
        request,
        files: files.iter().map(|(role, file)| (*role, file.path().to_owned())).collect(),
        cancelled: cancelled.clone(),
    };
    let mut running = match spawn(context, job, files, permit) {
        Ok(running) => running,
        Err(error) => {
            events::dependency_failed("start thread", &error);
            return Ended::Retryable("the pipeline's thread could not be started".to_owned());
        }
    };
    let stop = tokio::select! {
        biased;
        finished = &mut running => return ended(finished),
        () = lost.cancelled() => Stop::LeaseLost,
        () = context.draining.cancelled() => Stop::Draining,
        () = sleep(context.settings.job_time) => Stop::Deadline,
    };
    cancelled.cancel();
    let Ok(finished) = timeout(context.stop_grace, running).await else {
        events::pipeline_stuck(context.stop_grace);
        return Ended::Stopped(stop);
    };
    // It was done before it noticed: a result is a result, and the lease guards its writing.
    match ended(finished) {
        Ended::Stopped(_) | Ended::Retryable(_) => Ended::Stopped(stop),
        done => done,
    }
}

async fn fetch(context: &Context, request: &Request) -> Result<HashMap<MediaRole, LocalBlob>, BlobError> {
    let mut files = HashMap::new();
    for media in &request.media {
        files.insert(media.role, context.blobs.local(&media.key).await?);
    }
    Ok(files)
}

/// The files and the permit live as long as the thread, even when nobody waits for it any more. A thread of its own, not
/// one of the runtime's: a pipeline that hangs must not keep the process from ending.
fn spawn(
    context: &Context,
    job: Job,
    files: HashMap<MediaRole, LocalBlob>,
    permit: OwnedSemaphorePermit,
) -> io::Result<oneshot::Receiver<Finished>> {
    let pipeline = context.pipeline.clone();
    let span = Span::current();
    let (done, running) = oneshot::channel();
    let work = move || {
        let held = (files, permit, PermitInUse::begin());
        let finished = span.in_scope(|| catch_unwind(AssertUnwindSafe(|| pipeline.run(&job))));
        drop(held);
        // Nobody may be waiting for it any more.
        let _ = done.send(finished);
    };
    thread::Builder::new().name("pipeline".to_owned()).spawn(work)?;
    Ok(running)
}

fn ended(finished: Result<Finished, RecvError>) -> Ended {
    match finished {
        Ok(Ok(Ok(report))) => Ended::Report(Box::new(report)),
        Ok(Ok(Err(PipelineError::Permanent(failure)))) => Ended::Permanent(failure),
        Ok(Ok(Err(PipelineError::Retryable(reason)))) => Ended::Retryable(reason),
        // Nobody told it to: whatever it was, another attempt may go better.
        Ok(Ok(Err(PipelineError::Cancelled))) => {
            Ended::Retryable("the pipeline gave up by itself".to_owned())
        }
        // What it panicked with may quote the job's data, so it goes no further.
        Ok(Err(_)) => Ended::Retryable("the pipeline panicked".to_owned()),
        Err(_) => Ended::Retryable("the pipeline's thread ended without an answer".to_owned()),
    }
}
