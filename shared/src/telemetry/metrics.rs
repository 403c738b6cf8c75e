//! The one place that names a metric. Labels take their values from enums, constants and the models' manifest alone.

use std::time::Duration;

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::TelemetryError;
use crate::domain::{DisabledReason, EventType, Kind, Lane, MediaRole, State, Verdict};

const REQUESTS: &str = "countersign_requests_total";
const REQUEST_SECONDS: &str = "countersign_request_seconds";
const UPLOAD_BYTES: &str = "countersign_upload_bytes_total";
const JOBS_ACCEPTED: &str = "countersign_jobs_accepted_total";
const JOBS_FINISHED: &str = "countersign_jobs_finished_total";
const JOBS_EXHAUSTED: &str = "countersign_jobs_exhausted_total";
const JOB_SECONDS: &str = "countersign_job_seconds";
const JOB_WAIT_SECONDS: &str = "countersign_job_wait_seconds";
const ATTEMPTS: &str = "countersign_attempts_total";
const STAGE_SECONDS: &str = "countersign_stage_seconds";
const INFERENCE_SECONDS: &str = "countersign_inference_seconds";
const QUEUE_DEPTH: &str = "countersign_queue_depth";
const QUEUE_DEAD: &str = "countersign_queue_dead";
const LANE_FAILURES: &str = "countersign_lane_failures_total";
const OUTBOX_ROWS: &str = "countersign_outbox_rows";
const JOBS_UNFINISHED: &str = "countersign_jobs_unfinished";
const PERMITS_IN_USE: &str = "countersign_permits_in_use";
const MEDIA_DELETED: &str = "countersign_media_deleted_total";
const ORPHANS_SWEPT: &str = "countersign_orphans_swept_total";
const WEBHOOK_ATTEMPTS: &str = "countersign_webhook_attempts_total";
const WEBHOOK_SECONDS: &str = "countersign_webhook_seconds";
const WEBHOOK_LAG: &str = "countersign_webhook_lag_seconds";
const WEBHOOKS_DISABLED: &str = "countersign_webhooks_disabled_total";
const SIGNAL_CONNECTED: &str = "countersign_signal_connected";
const SIGNALS_DROPPED: &str = "countersign_signals_dropped_total";

/// Seconds: a stage takes milliseconds, a video seconds, a job that was tried again minutes.
const SECONDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0];

/// What Prometheus reads.
#[derive(Clone)]
pub struct Page(PrometheusHandle);

impl Page {
    /// Collects metrics for the rest of the process's life. Until it is called, they go nowhere.
    pub fn install() -> Result<Self, TelemetryError> {
        let handle = builder()?.install_recorder()?;
        describe();
        Ok(Self(handle))
    }

    /// Folds what was recorded into the histograms; without it, samples pile up while nobody reads the page.
    pub fn fold(&self) {
        self.0.run_upkeep();
    }

    /// The page in Prometheus's text format.
    pub fn render(&self) -> String {
        self.fold();
        self.0.render()
    }
}

fn builder() -> Result<PrometheusBuilder, TelemetryError> {
    // Buckets, or the exporter would make summaries, which can't be added up over processes.
    Ok(PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?)
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptEnd {
    Finished,
    Retried,
    GivenBack,
    LeaseLost,
}

impl AttemptEnd {
    const fn name(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Retried => "retried",
            Self::GivenBack => "given_back",
            Self::LeaseLost => "lease_lost",
        }
    }
}

pub fn request(endpoint: &'static str, status: u16, duration: Duration) {
    counter!(REQUESTS, "endpoint" => endpoint, "status" => status.to_string()).increment(1);
    histogram!(REQUEST_SECONDS, "endpoint" => endpoint).record(duration);
}

pub fn uploaded(role: MediaRole, bytes: u64) {
    counter!(UPLOAD_BYTES, "role" => role.name()).increment(bytes);
}

pub fn job_accepted(lane: Lane) {
    counter!(JOBS_ACCEPTED, "lane" => lane.name()).increment(1);
}

pub fn job_finished(kind: Option<Kind>, state: State, verdict: Option<Verdict>) {
    let verdict = verdict.map_or("none", verdict_name);
    counter!(JOBS_FINISHED, "kind" => kind_name(kind), "state" => state.name(), "verdict" => verdict)
        .increment(1);
}

/// Failed by the sweep: every attempt was cut short.
pub fn jobs_exhausted(count: u64) {
    counter!(JOBS_EXHAUSTED).increment(count);
}

/// From being taken to its end, one attempt.
pub fn attempt(kind: Option<Kind>, end: AttemptEnd, duration: Duration) {
    counter!(ATTEMPTS, "kind" => kind_name(kind), "end" => end.name()).increment(1);
    histogram!(JOB_SECONDS, "kind" => kind_name(kind)).record(duration);
}

/// From being accepted to being taken for the first time.
pub fn job_waited(lane: Lane, duration: Duration) {
    histogram!(JOB_WAIT_SECONDS, "lane" => lane.name()).record(duration);
}

pub fn stage(name: &'static str, duration: Duration) {
    histogram!(STAGE_SECONDS, "stage" => name).record(duration);
}

/// One run of a model, without the wait for its thread. Models and shapes are the few of the profile.
pub fn inference(model: &str, shape: &[usize], duration: Duration) {
    let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
    histogram!(INFERENCE_SECONDS, "model" => model.to_owned(), "shape" => shape).record(duration);
}

pub fn lane_failed(lane: Lane) {
    counter!(LANE_FAILURES, "lane" => lane.name()).increment(1);
}

pub fn queue_depth(lane: Lane, depth: u64) {
    gauge!(QUEUE_DEPTH, "lane" => lane.name()).set(depth as f64);
}

/// Messages that the queue has set aside.
pub fn queue_dead(count: u64) {
    gauge!(QUEUE_DEAD).set(count as f64);
}

pub fn outbox_rows(rows: u64) {
    gauge!(OUTBOX_ROWS).set(rows as f64);
}

pub fn jobs_unfinished(state: State, count: u64) {
    gauge!(JOBS_UNFINISHED, "state" => state.name()).set(count as f64);
}

/// A pipeline's thread, counted until this is dropped.
pub struct PermitInUse(());

impl PermitInUse {
    #[must_use = "the permit counts until this is dropped"]
    pub fn begin() -> Self {
        gauge!(PERMITS_IN_USE).increment(1);
        Self(())
    }
}

impl Drop for PermitInUse {
    fn drop(&mut self) {
        gauge!(PERMITS_IN_USE).decrement(1);
    }
}

pub fn media_deleted(verifications: u64) {
    counter!(MEDIA_DELETED).increment(verifications);
}

pub fn orphans_swept(verifications: u64) {
    counter!(ORPHANS_SWEPT).increment(verifications);
}

/// One attempt to tell a receiver.
pub fn webhook_attempt(event: EventType, outcome: &'static str, duration: Duration) {
    counter!(WEBHOOK_ATTEMPTS, "event" => event.name(), "outcome" => outcome).increment(1);
    histogram!(WEBHOOK_SECONDS).record(duration);
}

/// How long the oldest that is due has waited.
pub fn webhook_lag(lag: Duration) {
    gauge!(WEBHOOK_LAG).set(lag.as_secs_f64());
}

pub fn webhook_disabled(reason: DisabledReason) {
    counter!(WEBHOOKS_DISABLED, "reason" => reason.name()).increment(1);
}

/// Whether wake-ups from other processes reach this one.
pub fn signal_connected(connected: bool) {
    gauge!(SIGNAL_CONNECTED).set(if connected { 1.0 } else { 0.0 });
}

pub fn signal_dropped() {
    counter!(SIGNALS_DROPPED).increment(1);
}

const fn kind_name(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Photo) => "photo",
        Some(Kind::Video) => "video",
        Some(Kind::Spoof) => "spoof",
        None => "unknown",
    }
}

const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Rejected => "rejected",
    }
}

fn describe() {
    describe_counter!(REQUESTS, "HTTP requests by endpoint and status");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "time to answer a request");
    describe_counter!(UPLOAD_BYTES, Unit::Bytes, "bytes of media received by role");
    describe_counter!(JOBS_ACCEPTED, "jobs accepted by lane");
    describe_counter!(JOBS_FINISHED, "jobs finished by kind, state and verdict");
    describe_counter!(JOBS_EXHAUSTED, "jobs failed because every attempt was cut short");
    describe_histogram!(JOB_SECONDS, Unit::Seconds, "time that one attempt takes");
    describe_histogram!(JOB_WAIT_SECONDS, Unit::Seconds, "time from acceptance to the first attempt");
    describe_counter!(ATTEMPTS, "attempts by kind and how they ended");
    describe_histogram!(STAGE_SECONDS, Unit::Seconds, "time that a stage takes");
    describe_histogram!(INFERENCE_SECONDS, Unit::Seconds, "time that a model runs, by its input shape");
    describe_gauge!(QUEUE_DEPTH, "messages that wait in a lane");
    describe_gauge!(QUEUE_DEAD, "messages that were set aside: see countersign queue list");
    describe_counter!(LANE_FAILURES, "times that a lane of the queue could not be sent to or taken from");
    describe_gauge!(OUTBOX_ROWS, "messages that the queue does not have yet");
    describe_gauge!(JOBS_UNFINISHED, "verifications that are queued or in work");
    describe_gauge!(PERMITS_IN_USE, "jobs in work in this process");
    describe_counter!(MEDIA_DELETED, "verifications whose media were deleted");
    describe_counter!(WEBHOOK_ATTEMPTS, "attempts to tell a receiver by event and outcome");
    describe_histogram!(WEBHOOK_SECONDS, Unit::Seconds, "time that one attempt to tell a receiver takes");
    describe_gauge!(WEBHOOK_LAG, Unit::Seconds, "how long the oldest webhook that is due has waited");
    describe_counter!(WEBHOOKS_DISABLED, "webhook endpoints that were disabled, since gone or failing");
    describe_gauge!(SIGNAL_CONNECTED, "1 while wake-ups from other processes arrive");
    describe_counter!(SIGNALS_DROPPED, "wake-ups that other processes were not told of");
    describe_counter!(ORPHANS_SWEPT, "uploads without a verification that were deleted");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_histograms_and_labels_are_there() {
        let recorder = builder().expect("buckets").build_recorder();
        metrics::with_local_recorder(&recorder, || {
            describe();
            stage("detect", Duration::from_millis(20));
            job_finished(Some(Kind::Photo), State::Succeeded, Some(Verdict::Passed));
            queue_depth(Lane::VideoBatch, 3);
        });
        let page = recorder.handle().render();
        for line in [
            r#"countersign_stage_seconds_bucket{stage="detect",le="0.025"} 1"#,
            r#"countersign_jobs_finished_total{kind="photo",state="succeeded",verdict="passed"} 1"#,
            r#"countersign_queue_depth{lane="video.batch"} 3"#,
        ] {
            assert!(page.contains(line), "{line} is not in\n{page}");
        }
    }
}
