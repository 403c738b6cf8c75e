//! What happens to jobs: one function logs it and counts it, so that no caller does the one and forgets the other.

use std::time::Duration;

use tracing::{error, info, warn};

use super::metrics::{self, AttemptEnd};
use crate::config::ServiceUrl;
use crate::domain::{
    Delivery, DeliveryAttempt, DeliveryError, DisabledReason, Kind, Lane, NewVerification, State, TenantId,
    Verdict, Verification, VerificationId, WebhookId,
};
use crate::store::{Lease, Outcome, Reoffered, Settlement};

/// A cause with everything that it says about its own causes.
type Cause<'a> = &'a (dyn std::error::Error + 'static);

pub fn job_accepted(new: &NewVerification) {
    let lane = new.request.lane();
    info!(job.id = %new.id, tenant.id = %new.tenant, %lane, "job accepted");
    metrics::job_accepted(lane);
}

/// A worker begins an attempt.
pub fn job_claimed(verification: &Verification) {
    info!(attempt = verification.attempts, "job claimed");
    if let (1, Some(started)) = (verification.attempts, verification.started_at) {
        let waited = started.as_millis().saturating_sub(verification.created_at.as_millis());
        metrics::job_waited(
            verification.request.lane(),
            Duration::from_millis(u64::try_from(waited).unwrap_or(0)),
        );
    }
}

/// An attempt ended and the row says so. The kind is unknown when the row can't be read.
pub fn attempt_ended(kind: Option<Kind>, outcome: &Outcome, duration: Duration) {
    let duration_ms = duration.as_millis() as u64;
    let end = match outcome {
        Outcome::Succeeded(report) => {
            let passed = report.verdict == Verdict::Passed;
            info!(job.duration_ms = duration_ms, passed, "job succeeded");
            metrics::job_finished(kind, State::Succeeded, Some(report.verdict));
            AttemptEnd::Finished
        }
        Outcome::Failed(failure) => {
            info!(job.duration_ms = duration_ms, code = %failure.code, "job failed");
            metrics::job_finished(kind, State::Failed, None);
            AttemptEnd::Finished
        }
        Outcome::Retry { .. } => AttemptEnd::Retried,
        Outcome::GivenBack => {
            info!(job.duration_ms = duration_ms, "job given back");
            AttemptEnd::GivenBack
        }
    };
    metrics::attempt(kind, end, duration);
}

/// An attempt failed for a reason of our own; `next` is the wait before the following one, `None` when it was the last.
pub fn attempt_failed(reason: &str, next: Option<Duration>) {
    if let Some(next) = next {
        warn!(reason, retry_in_ms = next.as_millis() as u64, "attempt failed, will be tried again");
    } else {
        error!(reason, "last attempt failed");
    }
}

/// Another worker has the job now; what this one found is thrown away.
pub fn lease_lost(kind: Option<Kind>, duration: Duration) {
    warn!(job.duration_ms = duration.as_millis() as u64, "lease lost");
    metrics::attempt(kind, AttemptEnd::LeaseLost, duration);
}

/// A pipeline did not stop when it was told to; its thread and its permit are lost until it does.
pub fn pipeline_stuck(grace: Duration) {
    error!(grace_ms = grace.as_millis() as u64, "pipeline did not stop, its thread is abandoned");
}

/// A newer build wrote the message or its row.
pub fn newer_left(lane: Lane, id: VerificationId) {
    info!(%lane, job.id = %id, "job of a newer version left to newer workers");
}

/// A dependency failed; the same thing is tried again later.
pub fn dependency_failed(what: &'static str, cause: Cause<'_>) {
    warn!(what, cause, "dependency failed");
}

/// The connection to the broker is gone and is being opened again. `purpose` tells a process's connections apart.
pub fn connection_lost(purpose: &'static str, cause: Option<Cause<'_>>) {
    warn!(purpose, cause, "connection to the broker lost");
}

pub fn connection_failed(purpose: &'static str, cause: Cause<'_>) {
    warn!(purpose, cause, "broker can't be reached, will be tried again");
}

pub fn connection_restored(purpose: &'static str, after: Duration) {
    info!(purpose, away_ms = after.as_millis() as u64, "connection to the broker restored");
}

/// The broker takes no messages from this process.
pub fn broker_blocked(reason: &str) {
    warn!(reason, "broker takes no messages for now");
}

pub fn broker_unblocked() {
    info!("broker takes messages again");
}

/// The broker ended a consumer; what it had is delivered again, and it starts anew.
pub fn consumer_lost(cause: Cause<'_>) {
    warn!(cause, "consumer lost");
}

/// One lane of the queue can't be used; the others go on, and it is tried again.
pub fn lane_failed(lane: Lane, what: &'static str, cause: Cause<'_>) {
    warn!(%lane, what, cause, "lane failed");
    metrics::lane_failed(lane);
}

/// Nobody can read the message, so it is set aside.
pub fn message_unreadable(lane: Lane, size_bytes: usize, cause: Cause<'_>) {
    error!(%lane, message.size_bytes = size_bytes as u64, cause, "message is unreadable");
}

/// A server is not there yet; it is asked again after `pause`.
pub fn dependency_awaited(section: &'static str, url: &ServiceUrl, pause: Duration, cause: Cause<'_>) {
    warn!(section, %url, retry_in_ms = pause.as_millis() as u64, cause, "waiting for a server");
}

/// A row could not be read by this build.
pub fn row_unreadable(lease: &Lease, cause: Cause<'_>) {
    error!(job.id = %lease.id, attempt = lease.attempt, cause, "row is unreadable");
}

/// A duty of the process panicked; it is begun again.
pub fn duty_panicked(duty: &'static str) {
    error!(duty, "a duty panicked, it is begun again");
}

pub fn reoffered(reoffered: &Reoffered) {
    if reoffered.offered > 0 {
        info!(count = reoffered.offered, "jobs offered again");
    }
    for id in &reoffered.exhausted {
        error!(job.id = %id, "job is out of attempts");
    }
    metrics::jobs_exhausted(reoffered.exhausted.len() as u64);
}

pub fn media_deleted(ids: &[VerificationId]) {
    if !ids.is_empty() {
        info!(count = ids.len(), "media deleted");
        metrics::media_deleted(ids.len() as u64);
    }
}

/// A verification is erased, at somebody's wish: its rows, and its media if they could be reached.
pub fn verification_erased(id: VerificationId) {
    info!(job.id = %id, "verification erased");
}

/// Media that could not be reached when their verification was erased.
pub fn media_erased(ids: &[VerificationId]) {
    if !ids.is_empty() {
        info!(count = ids.len(), "media of erased verifications deleted");
    }
}

pub fn reports_deleted(count: u64) {
    if count > 0 {
        info!(count, "results deleted");
    }
}

pub fn orphans_swept(ids: &[VerificationId]) {
    if !ids.is_empty() {
        warn!(count = ids.len(), "uploads without a verification swept");
        metrics::orphans_swept(ids.len() as u64);
    }
}

/// An attempt to tell a receiver has ended. Neither its URL nor its answer is anybody's business.
pub fn delivery_attempted(delivery: &Delivery, attempt: &DeliveryAttempt, settlement: Settlement) {
    let duration_ms = attempt.duration_ms;
    let outcome = attempt.error.map_or("delivered", DeliveryError::name);
    match settlement {
        Settlement::Delivered => {
            info!(http.status_code = attempt.status, delivery.duration_ms = duration_ms, "webhook delivered");
        }
        Settlement::Retry(after) => {
            let retry_in_ms = after.as_millis() as u64;
            info!(outcome, http.status_code = attempt.status, retry_in_ms, "webhook will be tried again");
        }
        Settlement::GivenUp => {
            warn!(outcome, http.status_code = attempt.status, "webhook given up");
        }
    }
    metrics::webhook_attempt(delivery.event, outcome, Duration::from_millis(duration_ms));
}

/// A tenant's endpoint is told nothing from now on.
pub fn endpoint_disabled(tenant: TenantId, id: WebhookId, reason: DisabledReason) {
    warn!(tenant.id = %tenant, webhook.id = %id, reason = reason.name(), "webhook endpoint disabled");
    metrics::webhook_disabled(reason);
}

/// The drain's time is over and work is still running.
pub fn drain_exceeded(jobs: usize) {
    warn!(jobs, "drain took too long, running jobs are given back");
}

/// Wake-ups of other processes reach this one, from its start on.
pub fn signal_connected() {
    metrics::signal_connected(true);
}

/// Wake-ups do not reach this process; those who wait look at their rows.
pub fn signal_lost(cause: Cause<'_>) {
    warn!(cause, "signal lost, results are seen later until it is back");
    metrics::signal_connected(false);
}

pub fn signal_restored() {
    info!("signal restored");
    metrics::signal_connected(true);
}

/// Other processes will see the change later.
pub fn signal_dropped() {
    metrics::signal_dropped();
}
