//! `countersign bench queue`: what a job costs before and after its models, from upload to answer.

mod backlog;
mod pipeline;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::telemetry::metrics::Page;
use serde::Serialize;

use self::backlog::Cost;
use self::pipeline::{Gate, NoPipeline};
use super::client::{Call, Client};
use super::load::{Latencies, closed, open};
use super::process::processor_time;
use super::service::{Servers, Service};
use crate::commands::{note, say};

const WARM_UP: usize = 50;
const ROUNDS: usize = 4;

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
    /// Also queue so many jobs before any is worked on, and compare with a tenth and a hundredth of them.
    #[arg(long, default_value_t = 0)]
    backlog: usize,
    /// Another server that takes `POST /v2/verifications` and `GET /v2/verifications/ID?wait=60`: both submit and wait, in turn.
    #[arg(long, value_name = "URL")]
    against: Option<String>,
    /// Its API key.
    #[arg(long, value_name = "KEY", default_value = "bench", requires = "against")]
    against_key: String,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backlog: Vec<Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    against: Option<Against>,
}

/// Both servers' submissions, each waited for, all clients at once.
#[derive(Debug, Serialize)]
struct Against {
    own_jobs_per_second: f64,
    own: Latencies,
    its_jobs_per_second: f64,
    its: Latencies,
}

pub(crate) async fn run(arguments: QueueArguments, mut config: Config) -> anyhow::Result<ExitCode> {
    let page = Page::install().context("failed to start the metrics")?;
    let servers = if arguments.servers { Servers::Configured } else { Servers::Embedded };
    // Permits stand for cores, and this pipeline needs none.
    config.worker.permits = config.worker.effective_permits().max(arguments.clients);
    config.queue.window = config.queue.window.max(2 * arguments.clients as u64);
    // What arrives faster than it can be worked on is to wait and be seen to, not to be refused.
    let waiting = (arguments.arrivals + 2 * arguments.backlog) as u64;
    config.lanes.photo_interactive.max_depth = config.lanes.photo_interactive.max_depth.max(waiting);
    config.lanes.photo_interactive.max_age = config.lanes.photo_batch.max_age;
    let gate = Arc::new(Gate::default());
    let passed = Arc::clone(&gate);
    let load = |config: &Config| Ok(NoPipeline { thresholds: config.pipeline.thresholds(), gate: passed });
    let service = Service::start(config, servers, page, load).await?;
    let (client, photo) = (service.client(), photo(arguments.bytes));

    let call = Call::new("spoofdetect", Vec::new()).file("photo", photo.clone());
    let one = async || Ok(client.call(&call).await?.0);
    closed(1, WARM_UP, one).await?;
    note("one after another");
    let alone = closed(1, arguments.alone, one).await?;
    note("as many as there are clients");
    let (started, before) = (Instant::now(), processor_time()?);
    let saturated = closed(arguments.clients, arguments.jobs, one).await?;
    let jobs_per_second = saturated.len() as f64 / started.elapsed().as_secs_f64();
    let processor = processor_time()?.saturating_sub(before).as_secs_f64() / saturated.len().max(1) as f64;
    let arrivals_per_second = arguments.rate.unwrap_or(jobs_per_second / 2.0);
    note("at a fixed rate");
    let submit = || {
        let (client, photo) = (client.clone(), photo.clone());
        async move { client.submit(photo).await }
    };
    let arrived = open(arrivals_per_second, arguments.arrivals, submit).await?;
    let (accepted, finished) =
        arrived.into_iter().map(|(late, (accepted, finished))| (late + accepted, late + finished)).unzip();
    let mut backlog = Vec::new();
    for share in [100, 10, 1] {
        let queued = arguments.backlog / share;
        if queued > 0 {
            note(&format!("{queued} queued"));
            let times = (1000 / queued).clamp(1, 10);
            backlog.push(backlog::measure(&client, &photo, &gate, (arguments.clients, queued, times)).await?);
        }
    }
    let against = match &arguments.against {
        Some(url) => {
            note("against the other server");
            let other = Client::new(url.trim_end_matches('/').to_owned(), arguments.against_key.clone())?;
            Some(compare(&client, &other, &photo, &arguments).await?)
        }
        None => None,
    };
    service.stop().await?;

    let results = Results {
        alone: Latencies::of(alone),
        jobs_per_second,
        saturated: Latencies::of(saturated),
        processor,
        arrivals_per_second,
        accepted: Latencies::of(accepted),
        finished: Latencies::of(finished),
        backlog,
        against,
    };
    if arguments.json {
        say(&serde_json::to_string_pretty(&results)?);
    } else {
        print(&results, arguments.clients);
    }
    Ok(ExitCode::SUCCESS)
}

/// Something that begins like a JPEG.
fn photo(bytes: usize) -> Bytes {
    let mut photo = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\x00".to_vec();
    photo.resize(bytes.max(photo.len()), 0x55);
    photo.into()
}

/// Rounds of the same work for both, in turn.
async fn compare(
    own: &Client,
    other: &Client,
    photo: &Bytes,
    arguments: &QueueArguments,
) -> anyhow::Result<Against> {
    let mut times = [Vec::new(), Vec::new()];
    let mut elapsed = [0.0; 2];
    for _ in 0..ROUNDS {
        for (at, client) in [own, other].into_iter().enumerate() {
            let started = Instant::now();
            let finished = async || Ok(client.submit(photo.clone()).await?.1);
            times[at].extend(closed(arguments.clients, arguments.jobs / ROUNDS, finished).await?);
            elapsed[at] += started.elapsed().as_secs_f64();
        }
    }
    let [own, its] = times;
    Ok(Against {
        own_jobs_per_second: own.len() as f64 / elapsed[0],
        its_jobs_per_second: its.len() as f64 / elapsed[1],
        own: Latencies::of(own),
        its: Latencies::of(its),
    })
}

fn print(results: &Results, clients: usize) {
    let line = |what: &str, latencies: &Latencies| {
        let [median, p95, p99] = [latencies.median, latencies.p95, latencies.p99].map(|time| time * 1000.0);
        say(&format!("{what:<34} median {median:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms"));
    };
    line("one at a time", &results.alone);
    line(&format!("{clients} clients, {:.0} jobs/s", results.jobs_per_second), &results.saturated);
    say(&format!("{:<34} {:.2} ms", "processor time of a job", results.processor * 1000.0));
    line(&format!("{:.0} arrivals/s, accepted", results.arrivals_per_second), &results.accepted);
    line(&format!("{:.0} arrivals/s, finished", results.arrivals_per_second), &results.finished);
    for cost in &results.backlog {
        let [accept, accept_processor, work, work_processor] =
            [cost.accept, cost.accept_processor, cost.work, cost.work_processor].map(|cost| cost * 1000.0);
        say(&format!(
            "{:<34} accept {accept:.2} ms ({accept_processor:.2} of processor), work {work:.2} ms ({work_processor:.2})",
            format!("{} queued, each", cost.queued)
        ));
    }
    if let Some(against) = &results.against {
        line(&format!("submitted, {:.0} jobs/s", against.own_jobs_per_second), &against.own);
        line(&format!("the other, {:.0} jobs/s", against.its_jobs_per_second), &against.its);
        let ratio = against.own_jobs_per_second / against.its_jobs_per_second;
        say(&format!("{:<34} {ratio:.2}", "jobs/s, of the other's"));
    }
}
