//! `countersign bench photo`: what a job costs on this machine, beside what its models cost bare.

mod bare;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{Digits, Language};
use countersign_shared::telemetry::metrics::Page;
use futures::future::try_join_all;
use serde::Serialize;

use super::percentiles::{median, percentile};
use super::process;
use super::service::{Client, Servers, Service};
use crate::commands::{note, say};
use crate::embedded::load_models;

const WARM_UP: usize = 2;
const MEBIBYTE: f64 = 1024.0 * 1024.0;

#[derive(Args)]
pub(crate) struct PhotoArguments {
    #[arg(long)]
    id_card: PathBuf,
    #[arg(long)]
    photo: PathBuf,
    /// Also measure this video.
    #[arg(long, requires = "digits")]
    video: Option<PathBuf>,
    #[arg(long)]
    digits: Option<Digits>,
    #[arg(long, default_value = "en-US")]
    language: Language,
    /// Photo jobs to measure, one after another and then as many at once as there are permits.
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Video jobs to measure, one after another.
    #[arg(long, default_value_t = 5)]
    video_rounds: usize,
    #[arg(long)]
    json: bool,
}

/// What was measured; times in seconds.
#[derive(Debug, Serialize)]
struct Results {
    ready_after: f64,
    /// With every model loaded and no job done yet.
    idle_resident_mebibytes: f64,
    photo: Photo,
    #[serde(skip_serializing_if = "Option::is_none")]
    video: Option<Video>,
    resident_mebibytes_after: f64,
}

#[derive(Debug, Serialize)]
struct Photo {
    latency_median: f64,
    latency_p95: f64,
    /// Processor time of one job, the client's share included.
    processor: f64,
    /// The same model calls with ready tensors, on one thread.
    bare_models: f64,
    /// `processor / bare_models`.
    ratio: f64,
    /// With as many jobs at once as there are permits.
    jobs_per_second: f64,
}

#[derive(Debug, Serialize)]
struct Video {
    frames: u64,
    latency_median: f64,
    latency_worst: f64,
    processor: f64,
}

pub(crate) async fn run(arguments: PhotoArguments, config: Config) -> anyhow::Result<ExitCode> {
    let page = Page::install().context("failed to start the metrics")?;
    let permits = config.worker.effective_permits();
    let service = Service::start(config.clone(), Servers::Embedded, page.clone(), load_models).await?;
    let ready_after = service.ready_after.as_secs_f64();
    let idle_resident_mebibytes = process::resident_bytes()? as f64 / MEBIBYTE;
    note("measuring photos");
    let client = service.client();
    let photo = photos(&client, &arguments, permits, &page, &config).await?;
    let video = match (&arguments.video, arguments.digits) {
        (Some(video), Some(digits)) => {
            note("measuring videos");
            Some(videos(&client, &arguments, video, digits).await?)
        }
        _ => None,
    };
    let resident_mebibytes_after = process::resident_bytes()? as f64 / MEBIBYTE;
    service.stop().await?;
    let results = Results { ready_after, idle_resident_mebibytes, photo, video, resident_mebibytes_after };
    if arguments.json {
        say(&serde_json::to_string_pretty(&results)?);
    } else {
        print(&results, permits);
    }
    Ok(ExitCode::SUCCESS)
}

async fn photos(
    client: &Client,
    arguments: &PhotoArguments,
    permits: usize,
    page: &Page,
    config: &Config,
) -> anyhow::Result<Photo> {
    let files: [(&'static str, &Path); 2] = [("id_card", &arguments.id_card), ("photo", &arguments.photo)];
    for _ in 0..WARM_UP {
        client.call("photoverify", &files, &[]).await?;
    }
    let (calls_before, processor_before) = (bare::calls(&page.render()), process::processor_time()?);
    let mut latencies = Vec::with_capacity(arguments.rounds);
    for _ in 0..arguments.rounds {
        latencies.push(client.call("photoverify", &files, &[]).await?.0);
    }
    let rounds = arguments.rounds.max(1) as f64;
    let processor = process::processor_time()?.saturating_sub(processor_before).as_secs_f64() / rounds;
    let calls_after = bare::calls(&page.render());

    let started = Instant::now();
    let one_after_another = (0..permits).map(|_| async {
        for _ in 0..arguments.rounds {
            client.call("photoverify", &files, &[]).await?;
        }
        anyhow::Ok(())
    });
    try_join_all(one_after_another).await?;
    let jobs_per_second = rounds * permits as f64 / started.elapsed().as_secs_f64();

    let mut bare_models = 0.0;
    for (call, count) in calls_after {
        let made = count - calls_before.get(&call).copied().unwrap_or(0);
        if made > 0 {
            bare_models += bare::time(config, &call)?.as_secs_f64() * made as f64 / rounds;
        }
    }
    Ok(Photo {
        latency_median: median(&mut latencies).as_secs_f64(),
        latency_p95: percentile(&latencies, 0.95).as_secs_f64(),
        processor,
        bare_models,
        ratio: processor / bare_models,
        jobs_per_second,
    })
}

async fn videos(
    client: &Client,
    arguments: &PhotoArguments,
    video: &Path,
    digits: Digits,
) -> anyhow::Result<Video> {
    let files: [(&'static str, &Path); 2] = [("id_card", &arguments.id_card), ("video", video)];
    let digits = digits.to_string();
    let fields = [("audiochallenge", digits.as_str()), ("languageCode", arguments.language.tag())];
    let (_, answer) = client.call("videoverify", &files, &fields).await?;
    let frames = answer["predictions"]["model_input"]["video"]["frames"].as_u64().unwrap_or_default();
    let before = process::processor_time()?;
    let mut latencies = Vec::with_capacity(arguments.video_rounds);
    for _ in 0..arguments.video_rounds {
        latencies.push(client.call("videoverify", &files, &fields).await?.0);
    }
    let processor = process::processor_time()?.saturating_sub(before).as_secs_f64()
        / arguments.video_rounds.max(1) as f64;
    Ok(Video {
        frames,
        latency_median: median(&mut latencies).as_secs_f64(),
        latency_worst: percentile(&latencies, 1.0).as_secs_f64(),
        processor,
    })
}

fn print(results: &Results, permits: usize) {
    let photo = &results.photo;
    let milliseconds = |seconds: f64| format!("{:.0} ms", seconds * 1000.0);
    say(&format!("ready after                    {:.2} s", results.ready_after));
    say(&format!("resident, idle, models loaded  {:.0} MiB", results.idle_resident_mebibytes));
    say(&format!("resident, after the jobs       {:.0} MiB", results.resident_mebibytes_after));
    say(&format!(
        "photo, one at a time           median {}, p95 {}",
        milliseconds(photo.latency_median),
        milliseconds(photo.latency_p95)
    ));
    say(&format!(
        "photo, processor time of a job {}; its bare model calls {}; ratio {:.2}",
        milliseconds(photo.processor),
        milliseconds(photo.bare_models),
        photo.ratio
    ));
    say(&format!("photo, {permits} at a time             {:.1} jobs/s", photo.jobs_per_second));
    if let Some(video) = &results.video {
        say(&format!(
            "video of {} frames            median {:.2} s, worst {:.2} s, processor time {:.2} s",
            video.frames, video.latency_median, video.latency_worst, video.processor
        ));
    }
}
