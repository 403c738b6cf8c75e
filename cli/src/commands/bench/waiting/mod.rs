//! `countersign bench waiting`: thousands of clients that each wait for one result of their own, on one front end.

mod clients;
mod front_end;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;
use countersign_shared::adapters::Adapters;
use countersign_shared::config::Config;
use countersign_shared::store::Stores;
use serde::Serialize;
use tempfile::TempDir;

use self::clients::Clients;
use self::front_end::FrontEnd;
use super::load::Latencies;
use crate::commands::{note, say};

/// Open files besides those of the clients.
const OTHER_FILES: u64 = 200;

#[derive(Args)]
pub(crate) struct WaitingArguments {
    /// Clients that wait at the same time.
    #[arg(long, default_value_t = 5000)]
    clients: usize,
    /// Results a second.
    #[arg(long, default_value_t = 200.0)]
    rate: f64,
    #[arg(long)]
    json: bool,
    /// Be the front end that is measured; what has finished comes as lines on standard input.
    #[arg(long, hide = true)]
    front_end: bool,
}

/// What was measured; times in seconds, from a result's commit until its client has read it all.
#[derive(Debug, Serialize)]
struct Results {
    clients: usize,
    finished_per_second: f64,
    median: f64,
    p99: f64,
    longest: f64,
    /// Of the front end, which is a process of its own: before anybody came, and while all wait.
    resident_before: u64,
    resident_waiting: u64,
    resident_after: u64,
    bytes_per_client: u64,
}

pub(crate) async fn run(arguments: WaitingArguments, config: Config) -> anyhow::Result<ExitCode> {
    if arguments.front_end {
        return front_end::serve(&config, Adapters::open(&config).await?).await;
    }
    ensure_open_files(arguments.clients as u64 + OTHER_FILES)?;
    let folder = TempDir::new().context("failed to make a temporary folder")?;
    let mut front_end = FrontEnd::start(folder.path()).await?;
    let stores = Stores::open(&FrontEnd::store(), &front_end.data()).await?;
    let resident_before = front_end.resident_bytes()?;

    note(&format!("{} clients begin to wait", arguments.clients));
    let mut clients = Clients::begin(&stores, front_end.address(), arguments.clients).await?;
    let resident_waiting = front_end.resident_bytes()?;
    note(&format!("{} results a second", arguments.rate));
    let (times, reached) = clients.finish(&stores, &mut front_end, arguments.rate).await?;
    let resident_after = front_end.resident_bytes()?;
    front_end.stop().await?;

    let told = Latencies::of(times);
    let results = Results {
        clients: arguments.clients,
        finished_per_second: reached,
        median: told.median,
        p99: told.p99,
        longest: told.longest,
        resident_before,
        resident_waiting,
        resident_after,
        bytes_per_client: resident_waiting.saturating_sub(resident_before) / arguments.clients.max(1) as u64,
    };
    if arguments.json {
        say(&serde_json::to_string_pretty(&results)?);
    } else {
        print(&results);
    }
    Ok(ExitCode::SUCCESS)
}

/// The kernel's limit on open files, as this process has it and its children inherit it.
fn ensure_open_files(wanted: u64) -> anyhow::Result<()> {
    let limits = std::fs::read_to_string("/proc/self/limits").context("failed to read /proc/self/limits")?;
    let line = limits.lines().find(|line| line.starts_with("Max open files")).context("no limit on files")?;
    let soft = line.split_whitespace().nth(3).context("unreadable limit on files")?;
    let enough = soft.parse::<u64>().map_or(soft == "unlimited", |soft| soft >= wanted);
    ensure!(enough, "only {soft} files may be open: run `ulimit -n {wanted}` first, or lower --clients");
    Ok(())
}

fn print(results: &Results) {
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let millis = |seconds: f64| Duration::from_secs_f64(seconds).as_secs_f64() * 1000.0;
    say(&format!("{:<38} {:.0} MiB", "front end, nobody waits", mebibytes(results.resident_before)));
    say(&format!(
        "{:<38} {:.0} MiB, {:.1} KiB for each",
        format!("front end, {} wait", results.clients),
        mebibytes(results.resident_waiting),
        results.bytes_per_client as f64 / 1024.0
    ));
    say(&format!("{:<38} {:.0} MiB", "front end, all were told", mebibytes(results.resident_after)));
    say(&format!(
        "{:<38} median {:.1} ms, p99 {:.1} ms, longest {:.1} ms",
        format!("told, at {:.0} results/s", results.finished_per_second),
        millis(results.median),
        millis(results.p99),
        millis(results.longest)
    ));
}
