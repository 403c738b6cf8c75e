//! `countersign bench idle`: whether anything grows, over hours without work or over many jobs of every kind.

mod plot;
mod sample;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::Digits;
use countersign_shared::telemetry::metrics::Page;
use tokio_util::sync::CancellationToken;

use self::sample::{Sample, Sampler};
use super::client::{Call, Client};
use super::service::{Servers, Service};
use crate::commands::{note, say};
use crate::embedded::load_models;

/// One job of so many is a video, and one of so many of the others a spoof detection.
const VIDEO_EVERY: usize = 20;
const SPOOF_EVERY: usize = 3;
/// The part of the samples in which caches and pools may still fill.
const WARM_UP: f64 = 0.1;
/// Rows of the table.
const ROWS: usize = 12;

#[derive(Args)]
pub(crate) struct IdleArguments {
    /// How long to look on without work.
    #[arg(long, conflicts_with = "jobs", default_value_t = 1.0)]
    hours: f64,
    /// Jobs of every kind whose media are given, as many at once as there are permits.
    #[arg(long, requires = "id_card", requires = "photo")]
    jobs: Option<usize>,
    #[arg(long)]
    id_card: Option<PathBuf>,
    #[arg(long)]
    photo: Option<PathBuf>,
    #[arg(long, requires = "digits")]
    video: Option<PathBuf>,
    #[arg(long)]
    digits: Option<Digits>,
    /// Samples that are taken on the way.
    #[arg(long, default_value_t = 200)]
    samples: usize,
    /// Also draw them: an SVG file.
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[arg(long)]
    json: bool,
}

/// The kinds of job that are sent.
struct Mixture {
    photo: Call,
    spoof: Call,
    video: Option<Call>,
}

pub(crate) async fn run(arguments: IdleArguments, mut config: Config) -> anyhow::Result<ExitCode> {
    let page = Page::install().context("failed to start the metrics")?;
    // What a job leaves behind must go while the bench runs, or there would be nothing to see.
    config.retention.media = Duration::ZERO;
    let clients = config.worker.effective_permits() + 1;
    let service = Service::start(config, Servers::Embedded, page.clone(), load_models).await?;
    let sampler = Sampler::new(page, service.folder().to_owned());
    let samples = match arguments.jobs {
        Some(jobs) => {
            let mixture = Mixture::read(&arguments).await?;
            note(&format!("{jobs} jobs"));
            work(&service.client(), &mixture, &sampler, (clients, jobs, arguments.samples)).await?
        }
        None => watch(&sampler, arguments.hours, arguments.samples).await?,
    };
    service.stop().await?;
    if let Some(file) = &arguments.plot {
        std::fs::write(file, plot::svg(&samples))
            .with_context(|| format!("failed to write {}", file.display()))?;
    }
    if arguments.json {
        say(&serde_json::to_string_pretty(&samples)?);
    } else {
        print(&samples);
    }
    Ok(ExitCode::SUCCESS)
}

/// Looks on.
async fn watch(sampler: &Sampler, hours: f64, count: usize) -> anyhow::Result<Vec<Sample>> {
    let every = Duration::try_from_secs_f64(hours * 3600.0 / count.max(1) as f64)?;
    let mut samples = vec![sampler.take(0)?];
    for _ in 0..count {
        tokio::time::sleep(every).await;
        samples.push(sampler.take(0)?);
    }
    Ok(samples)
}

/// Sends the jobs, and takes a sample each time another part of them is done.
async fn work(
    client: &Client,
    mixture: &Mixture,
    sampler: &Sampler,
    (clients, jobs, count): (usize, usize, usize),
) -> anyhow::Result<Vec<Sample>> {
    let (sent, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ended = CancellationToken::new();
    let send = async {
        let _ended = ended.clone().drop_guard();
        super::load::closed(clients, jobs, async || {
            client.call(mixture.job(sent.fetch_add(1, Ordering::Relaxed))).await?;
            done.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
        .await
    };
    let look = async {
        let mut samples = vec![sampler.take(0)?];
        while ended.run_until_cancelled(tokio::time::sleep(Duration::from_millis(50))).await.is_some() {
            let finished = done.load(Ordering::Relaxed);
            if finished * count >= samples.len() * jobs {
                samples.push(sampler.take(finished)?);
            }
        }
        samples.push(sampler.take(done.load(Ordering::Relaxed))?);
        anyhow::Ok(samples)
    };
    Ok(tokio::try_join!(send, look)?.1)
}

impl Mixture {
    async fn read(arguments: &IdleArguments) -> anyhow::Result<Self> {
        let (id_card, photo) =
            arguments.id_card.as_deref().zip(arguments.photo.as_deref()).context("no card, or no photo")?;
        let compared = async |endpoint, fields, name: &'static str, path: &Path| -> anyhow::Result<Call> {
            Call::new(endpoint, fields).read("id_card", id_card).await?.read(name, path).await
        };
        let video = match (&arguments.video, arguments.digits) {
            (Some(video), Some(digits)) => {
                let fields =
                    vec![("audiochallenge", digits.to_string()), ("languageCode", "en-US".to_owned())];
                Some(compared("videoverify", fields, "video", video).await?)
            }
            _ => None,
        };
        Ok(Self {
            photo: compared("photoverify", Vec::new(), "photo", photo).await?,
            spoof: Call::new("spoofdetect", Vec::new()).read("photo", photo).await?,
            video,
        })
    }

    fn job(&self, number: usize) -> &Call {
        match &self.video {
            Some(video) if number.is_multiple_of(VIDEO_EVERY) => video,
            _ if number.is_multiple_of(SPOOF_EVERY) => &self.spoof,
            _ => &self.photo,
        }
    }
}

fn print(samples: &[Sample]) {
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    say("   minutes      jobs  resident MiB  threads  open files  files kept  queued  processor s");
    let step = samples.len().div_ceil(ROWS).max(1);
    let last = samples.len().saturating_sub(1);
    for (_, sample) in samples.iter().enumerate().filter(|(at, _)| at % step == 0 || *at == last) {
        say(&format!(
            "{:>10.1}{:>10}{:>14.1}{:>9}{:>12}{:>12}{:>8}{:>13.1}",
            sample.seconds / 60.0,
            sample.jobs,
            mebibytes(sample.resident),
            sample.threads,
            sample.open_files,
            sample.files_kept,
            sample.queued,
            sample.processor
        ));
    }
    if let (Some(first), Some(last)) =
        (samples.get((samples.len() as f64 * WARM_UP) as usize), samples.last())
    {
        say(&format!(
            "after the first tenth: resident memory {:+.1} MiB, threads {:+}, open files {:+}, files kept {:+}",
            mebibytes(last.resident) - mebibytes(first.resident),
            last.threads as i64 - first.threads as i64,
            last.open_files as i64 - first.open_files as i64,
            last.files_kept as i64 - first.files_kept as i64
        ));
    }
}
