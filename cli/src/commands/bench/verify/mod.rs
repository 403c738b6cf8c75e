//! `countersign bench photo`, `spoof` and `video`: what a verification costs here, beside its models alone and other servers.

mod ceiling;
mod print;
mod rounds;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{Digits, Language};
use countersign_shared::telemetry::metrics::Page;

use self::ceiling::Ceiling;
use self::rounds::{Results, Rounds};
use super::client::{Call, Client};
use super::process::Family;
use super::service::{Servers, Service};
use crate::commands::{note, say};
use crate::embedded::load_models;

#[derive(Args)]
pub(crate) struct PhotoArguments {
    #[arg(long)]
    id_card: PathBuf,
    #[arg(long)]
    photo: PathBuf,
    #[command(flatten)]
    load: LoadArguments,
}

#[derive(Args)]
pub(crate) struct SpoofArguments {
    #[arg(long)]
    photo: PathBuf,
    #[command(flatten)]
    load: LoadArguments,
}

#[derive(Args)]
pub(crate) struct VideoArguments {
    #[arg(long)]
    id_card: PathBuf,
    #[arg(long)]
    video: PathBuf,
    #[arg(long)]
    digits: Digits,
    #[arg(long, default_value = "en-US")]
    language: Language,
    #[command(flatten)]
    load: LoadArguments,
}

/// How much is asked of whom.
#[derive(Args)]
pub(crate) struct LoadArguments {
    /// Calls one after another, at least one: they tell what a job asks of the models.
    #[arg(long, default_value_t = 20)]
    alone: usize,
    /// Calls of each round, by clients that each send the next when they have an answer. In every round the bare models and
    /// the other server do as many.
    #[arg(long, default_value_t = 40)]
    jobs: usize,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// 0 means two for each permit: one whose job runs, one whose job waits.
    #[arg(long, default_value_t = 0)]
    clients: usize,
    /// Calls that arrive at a fixed rate, whatever has been answered; 0 leaves them out.
    #[arg(long, default_value_t = 40)]
    arrivals: usize,
    /// Arrivals a second; 0 means half of what the clients reached.
    #[arg(long, default_value_t = 0.0)]
    rate: f64,
    /// Measure the servers of the settings, and not empty embedded ones. The rows of the tenant `bench` stay there until
    /// their retention ends.
    #[arg(long)]
    servers: bool,
    /// Another server that speaks v1.1, to be driven with the same load in the same rounds.
    #[arg(long, value_name = "URL")]
    against: Option<String>,
    /// Its API key.
    #[arg(long, value_name = "KEY", default_value = "bench", requires = "against")]
    against_key: String,
    /// Its process, if it runs on this machine: for its memory and processor time.
    #[arg(long, value_name = "PID", requires = "against")]
    against_process: Option<u32>,
    #[arg(long)]
    json: bool,
}

pub(crate) async fn photo(arguments: PhotoArguments, config: Config) -> anyhow::Result<ExitCode> {
    let call = Call::new("photoverify", Vec::new());
    let call = call.read("id_card", &arguments.id_card).await?.read("photo", &arguments.photo).await?;
    measure(&arguments.load, config, call, |_, _| Ok(())).await
}

pub(crate) async fn spoof(arguments: SpoofArguments, config: Config) -> anyhow::Result<ExitCode> {
    let call = Call::new("spoofdetect", Vec::new()).read("photo", &arguments.photo).await?;
    measure(&arguments.load, config, call, |_, _| Ok(())).await
}

pub(crate) async fn video(arguments: VideoArguments, config: Config) -> anyhow::Result<ExitCode> {
    let (digits, language) = (arguments.digits, arguments.language);
    let fields = vec![("audiochallenge", digits.to_string()), ("languageCode", language.tag().to_owned())];
    let call = Call::new("videoverify", fields);
    let call = call.read("id_card", &arguments.id_card).await?.read("video", &arguments.video).await?;
    let hear =
        |ceiling: &mut Ceiling, config: &Config| ceiling.hear(config, &arguments.video, (digits, language));
    measure(&arguments.load, config, call, hear).await
}

/// `complete` adds to the ceiling what the metrics do not count as a model's call.
async fn measure(
    load: &LoadArguments,
    config: Config,
    call: Call,
    complete: impl FnOnce(&mut Ceiling, &Config) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    let page = Page::install().context("failed to start the metrics")?;
    let servers = if load.servers { Servers::Configured } else { Servers::Embedded };
    let permits = config.worker.effective_permits();
    let clients = if load.clients == 0 { 2 * permits } else { load.clients };
    let service = Service::start(config.clone(), servers, page.clone(), load_models).await?;
    let mut rounds = Rounds::begin(call, clients, service.client())?;
    if let Some(url) = &load.against {
        let client = Client::new(url.trim_end_matches('/').to_owned(), load.against_key.clone())?;
        rounds.against(client, load.against_process.map(Family));
    }
    note("one after another");
    let calls = rounds.alone(load.alone.max(1), &page).await?;
    note("as many as there are clients");
    rounds.fill(load.jobs).await?;
    let mut ceiling = Ceiling::load(&config, &calls)?;
    complete(&mut ceiling, &config)?;
    for _ in 0..load.rounds.max(1) {
        rounds.round(load.jobs, &ceiling).await?;
    }
    drop(ceiling);
    if load.arrivals > 0 {
        note("at a fixed rate");
        rounds.arrivals(load.rate, load.arrivals).await?;
    }
    let ready_after = service.ready_after;
    service.stop().await?;
    let results: Results = rounds.results(ready_after);
    if load.json {
        say(&serde_json::to_string_pretty(&results)?);
    } else {
        print::print(&results, permits, clients);
    }
    Ok(ExitCode::SUCCESS)
}
