//! `countersign queue`: what waits on the broker and what was set aside. Works while the service runs, and without it.

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use countersign_shared::config::Config;
use countersign_shared::domain::Lane;
use countersign_shared::queue::{self, DeadLetter, DeadLetters};

use super::{note, say};

#[derive(Subcommand)]
pub(crate) enum QueueCommand {
    /// How many messages wait in each lane, and how many were set aside.
    Depths,
    /// List what was set aside, the oldest first.
    List {
        /// How many at the most.
        #[arg(long, default_value_t = 100)]
        limit: usize,
        /// As JSON, one array.
        #[arg(long)]
        json: bool,
    },
    /// Send what was set aside to its lanes again, the oldest first.
    Replay {
        /// How many at the most; all when not given.
        #[arg(long)]
        limit: Option<usize>,
    },
    /// Delete what was set aside, for good.
    Purge {
        /// Really.
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(command: QueueCommand, config: &Config) -> anyhow::Result<ExitCode> {
    if let QueueCommand::Purge { yes: false } = command {
        anyhow::bail!("this deletes what was set aside for good: say --yes when you mean it");
    }
    let dead = queue::open_dead_letters(&config.queue).await.context("failed to open the queue")?;
    match command {
        QueueCommand::Depths => depths(config).await,
        QueueCommand::List { limit, json } => list(&*dead, limit, json).await,
        QueueCommand::Replay { limit } => replay(&*dead, limit.unwrap_or(usize::MAX)).await,
        QueueCommand::Purge { yes: _ } => purge(&*dead).await,
    }
}

async fn depths(config: &Config) -> anyhow::Result<ExitCode> {
    let queue = queue::open(&config.queue).await.context("failed to open the queue")?;
    for lane in Lane::ALL {
        let depth = queue.depth(lane).await.with_context(|| format!("failed to measure {lane}"))?;
        say(&format!("{:<20} {depth:>8}", lane.name()));
    }
    say(&format!("{:<20} {:>8}", "dead", queue.dead().await.context("failed to measure the dead letters")?));
    Ok(ExitCode::SUCCESS)
}

async fn list(dead: &dyn DeadLetters, limit: usize, json: bool) -> anyhow::Result<ExitCode> {
    let letters = dead.list(limit).await.context("failed to list the dead letters")?;
    if json {
        say(&serde_json::to_string_pretty(&letters)?);
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!(
        "{:<18} {:<36} {:<24} {:<16} {:>6}",
        "LANE", "VERIFICATION", "SET ASIDE", "REASON", "TIMES"
    ));
    for letter in &letters {
        say(&line(letter));
    }
    if letters.len() == limit {
        note(&format!("there may be more than {limit}: see --limit"));
    }
    Ok(ExitCode::SUCCESS)
}

fn line(letter: &DeadLetter) -> String {
    let lane = letter.lane.map_or("unknown", Lane::name);
    let verification = letter.message.as_ref().map_or_else(
        || format!("unreadable, {} bytes", letter.size_bytes),
        |message| message.verification_id.to_string(),
    );
    let died_at = letter.died_at.map_or_else(|| "unknown".to_owned(), |at| at.to_string());
    format!("{lane:<18} {verification:<36} {died_at:<24} {:<16} {:>6}", letter.reason, letter.deaths)
}

async fn replay(dead: &dyn DeadLetters, limit: usize) -> anyhow::Result<ExitCode> {
    let replayed = dead.replay(limit).await.context("failed to replay the dead letters")?;
    note(&format!("sent {} to their lanes again", replayed.sent));
    if replayed.left > 0 {
        note(&format!("left {} that can't be read", replayed.left));
    }
    match replayed.stopped_by {
        None => Ok(ExitCode::SUCCESS),
        Some(error) => Err(error).context("the rest is still set aside"),
    }
}

async fn purge(dead: &dyn DeadLetters) -> anyhow::Result<ExitCode> {
    let count = dead.purge().await.context("failed to delete the dead letters")?;
    note(&format!("deleted {count}"));
    Ok(ExitCode::SUCCESS)
}
