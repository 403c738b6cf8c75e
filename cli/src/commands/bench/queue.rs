//! `countersign bench queue`: what a job costs before and after its models, from upload to answer.

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{
    Evidence, Kind, REPORT_VERSION, Report, SpoofEvidence, StillEvidence, Thresholds, Timestamp, Verdict,
};
use countersign_shared::telemetry::metrics::Page;
use countersign_worker::pipeline::{Job, Pipeline, PipelineError};
use futures::future::try_join_all;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::percentiles::percentile;
use super::process;
use super::service::{Client, Servers, Service};
use crate::commands::{note, say};

const WARM_UP: usize = 50;

#[derive(Args)]
pub(crate) struct QueueArguments {
    /// Measure the servers of the settings, and not empty embedded ones. The rows of the tenant `bench` stay there until
    /// their retention ends.
    #[arg(long)]
    servers: bool,
    /// Jobs, one after another.
    #[arg(long, default_value_t = 200)]
    alone: usize,
    /// Jobs, by many clients at once that each send the next when they have an answer.
    #[arg(long, default_value_t = 4000)]
    jobs: usize,
    #[arg(long, default_value_t = 48)]
    clients: usize,
    /// Jobs that arrive at a fixed rate, whatever has been answered: half of what the clients reached, or --rate.
    #[arg(long, default_value_t = 2000)]
    arrivals: usize,
    /// Arrivals a second.
    #[arg(long)]
    rate: Option<f64>,
    /// Size of the photo.
    #[arg(long, default_value_t = 20_000)]
    bytes: usize,
    #[arg(long)]
    json: bool,
}

/// What was measured; times in seconds, from the first byte sent to the whole answer read.
#[derive(Debug, Serialize)]
struct Results {
    /// Synchronous calls, one after another.
    alone: Latencies,
    /// Synchronous calls, all clients at once.
    jobs_per_second: f64,
    saturated: Latencies,
    /// Processor time of this process for one job, the clients' share included, the servers' not.
    processor: f64,
    /// Submissions at a fixed rate: until they were accepted, and until they were finished.
    arrivals_per_second: f64,
    accepted: Latencies,
    finished: Latencies,
}

#[derive(Debug, Serialize)]
struct Latencies {
    median: f64,
    p99: f64,
}

/// Finds nothing, at once: what is measured is everything else.
struct NoPipeline(Thresholds);

impl Pipeline for NoPipeline {
    fn run(&self, _job: &Job) -> Result<Report, PipelineError> {
        let now = Timestamp::now();
        Ok(Report {
            version: REPORT_VERSION,
            kind: Kind::Spoof,
            verdict: Verdict::Rejected,
            checks: Vec::new(),
            started_at: now,
            ended_at: now,
            thresholds: self.0,
            models: Vec::new(),
            evidence: Evidence::Spoof(SpoofEvidence {
                photo: StillEvidence { width: 0, height: 0, num_faces: 0, face: None, liveness: None },
            }),
        })
    }
}

pub(crate) async fn run(arguments: QueueArguments, mut config: Config) -> anyhow::Result<ExitCode> {
    let page = Page::install().context("failed to start the metrics")?;
    let servers = if arguments.servers { Servers::Configured } else { Servers::Embedded };
    // Permits stand for cores, and this pipeline needs none.
    config.worker.permits = config.worker.effective_permits().max(arguments.clients);
    config.queue.window = config.queue.window.max(2 * arguments.clients as u64);
    let load = |config: &Config| Ok(NoPipeline(config.pipeline.thresholds()));
    let service = Service::start(config, servers, page, load).await?;
    let (client, photo) = (service.client(), photo(arguments.bytes));

    for _ in 0..WARM_UP {
        client.spoofdetect(&photo).await?;
    }
    note("one after another");
    let mut alone = Vec::with_capacity(arguments.alone);
    for _ in 0..arguments.alone {
        alone.push(client.spoofdetect(&photo).await?);
    }
    note("as many as there are clients");
    let (started, before) = (Instant::now(), process::processor_time()?);
    let saturated = closed(&client, &photo, arguments.clients, arguments.jobs).await?;
    let jobs_per_second = saturated.len() as f64 / started.elapsed().as_secs_f64();
    let processor =
        process::processor_time()?.saturating_sub(before).as_secs_f64() / saturated.len().max(1) as f64;
    let arrivals_per_second = arguments.rate.unwrap_or(jobs_per_second / 2.0);
    note("at a fixed rate");
    let arrived = open(&client, &photo, arrivals_per_second, arguments.arrivals).await?;
    let (accepted, finished) = arrived.into_iter().unzip();
    service.stop().await?;

    let results = Results {
        alone: latencies(alone),
        jobs_per_second,
        saturated: latencies(saturated),
        processor,
        arrivals_per_second,
        accepted: latencies(accepted),
        finished: latencies(finished),
    };
    if arguments.json {
        say(&serde_json::to_string_pretty(&results)?);
    } else {
        print(&results, arguments.clients);
    }
    Ok(ExitCode::SUCCESS)
}

/// Something that begins like a JPEG.
fn photo(bytes: usize) -> Vec<u8> {
    let mut photo = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\x00".to_vec();
    photo.resize(bytes.max(photo.len()), 0x55);
    photo
}

/// Clients that each send the next job when they have the answer to the last.
async fn closed(client: &Client, photo: &[u8], clients: usize, jobs: usize) -> anyhow::Result<Vec<Duration>> {
    let sent = AtomicUsize::new(0);
    let one = async || {
        let mut times = Vec::new();
        while sent.fetch_add(1, Ordering::Relaxed) < jobs {
            times.push(client.spoofdetect(photo).await?);
        }
        anyhow::Ok(times)
    };
    Ok(try_join_all((0..clients).map(|_| one())).await?.concat())
}

/// Jobs that arrive at a fixed rate. A late answer holds up no arrival, so nothing hides in a client that waits.
async fn open(
    client: &Client,
    photo: &[u8],
    rate: f64,
    jobs: usize,
) -> anyhow::Result<Vec<(Duration, Duration)>> {
    let mut calls = JoinSet::new();
    let started = tokio::time::Instant::now();
    for number in 0..jobs {
        let due = started + Duration::from_secs_f64(number as f64 / rate);
        sleep_until(due).await;
        let (client, photo) = (client.clone(), photo.to_vec());
        calls.spawn(async move {
            // What a late start cost counts too.
            let late = due.elapsed();
            let (accepted, finished) = client.submit(&photo).await?;
            anyhow::Ok((late + accepted, late + finished))
        });
    }
    let mut times = Vec::with_capacity(jobs);
    while let Some(time) = calls.join_next().await {
        times.push(time.context("a call panicked")??);
    }
    Ok(times)
}

fn latencies(mut times: Vec<Duration>) -> Latencies {
    times.sort_unstable();
    let at = |fraction| percentile(&times, fraction).as_secs_f64();
    Latencies { median: at(0.5), p99: at(0.99) }
}

fn print(results: &Results, clients: usize) {
    let line = |what: &str, latencies: &Latencies| {
        let (median, p99) = (latencies.median * 1000.0, latencies.p99 * 1000.0);
        say(&format!("{what:<34} median {median:.1} ms, p99 {p99:.1} ms"));
    };
    line("one at a time", &results.alone);
    line(&format!("{clients} clients, {:.0} jobs/s", results.jobs_per_second), &results.saturated);
    say(&format!("{:<34} {:.2} ms", "processor time of a job", results.processor * 1000.0));
    line(&format!("{:.0} arrivals/s, accepted", results.arrivals_per_second), &results.accepted);
    line(&format!("{:.0} arrivals/s, finished", results.arrivals_per_second), &results.finished);
}
