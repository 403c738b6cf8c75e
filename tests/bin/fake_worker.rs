//! The real worker process around a pipeline that only sleeps, so that thousands of jobs cost no inference:
//! `countersign-fake-worker SHORTEST_MS LONGEST_MS`, settings by environment.
//!
//! A photo is `FF D8 FF`, anything, and a number in digits at the end; the report counts that many faces, so whoever gets
//! it can tell whose it is.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use countersign_shared::command;
use countersign_shared::domain::{
    Evidence, MediaRole, REPORT_VERSION, Report, SpoofEvidence, StillEvidence, Thresholds, Timestamp, Verdict,
};
use countersign_worker::pipeline::{Job, Pipeline, PipelineError};
use countersign_worker::process;
use rand::Rng;

const STEP: Duration = Duration::from_millis(5);

struct FakePipeline {
    thresholds: Thresholds,
    shortest: Duration,
    longest: Duration,
}

impl Pipeline for FakePipeline {
    fn run(&self, job: &Job) -> Result<Report, PipelineError> {
        let started_at = Timestamp::now();
        let number = number(job)?;
        let until = Instant::now() + rand::rng().random_range(self.shortest..=self.longest);
        while Instant::now() < until {
            if job.cancelled.is_cancelled() {
                return Err(PipelineError::Cancelled);
            }
            std::thread::sleep(STEP);
        }
        Ok(Report {
            version: REPORT_VERSION,
            kind: job.request.kind,
            verdict: Verdict::Rejected,
            checks: Vec::new(),
            started_at,
            ended_at: Timestamp::now(),
            thresholds: self.thresholds,
            models: Vec::new(),
            evidence: Evidence::Spoof(SpoofEvidence {
                photo: StillEvidence { num_faces: number, ..StillEvidence::faceless(0, 0) },
            }),
        })
    }
}

fn main() -> ExitCode {
    let mut milliseconds = std::env::args().skip(1).map(|text| text.parse().map(Duration::from_millis));
    let (Some(Ok(shortest)), Some(Ok(longest)), None) =
        (milliseconds.next(), milliseconds.next(), milliseconds.next())
    else {
        command::note("usage: countersign-fake-worker SHORTEST_MS LONGEST_MS");
        return ExitCode::from(64);
    };
    command::run(None, async |config| {
        let load = move |config: &countersign_shared::config::Config| {
            Ok(FakePipeline { thresholds: config.pipeline.thresholds(), shortest, longest })
        };
        process::run_with(config, load).await.unwrap_or_else(|error| command::failure(&*error))
    })
}

fn number(job: &Job) -> Result<u32, PipelineError> {
    let retryable = |error: &dyn std::fmt::Display| PipelineError::Retryable(format!("the photo: {error}"));
    let bytes = std::fs::read(job.file(MediaRole::Photo)?).map_err(|error| retryable(&error))?;
    let digits =
        bytes.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(&bytes[..], |last| &bytes[last + 1..]);
    std::str::from_utf8(digits).unwrap_or_default().parse().map_err(|error| retryable(&error))
}
