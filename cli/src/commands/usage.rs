//! `countersign usage`: what tenants have used in a month.

use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use countersign_shared::config::Config;
use countersign_shared::domain::{Month, Timestamp};
use countersign_shared::store::Stores;

use super::say;
use super::tenants::existing;

/// More lines than a tenant has.
const MOST_LINES: u32 = 1_000_000;

#[derive(Args)]
pub(crate) struct UsageArguments {
    /// The tenant's name.
    #[arg(long, default_value = "default")]
    tenant: String,
    /// Such as 2026-11, in UTC; the current one when not given.
    #[arg(long)]
    month: Option<Month>,
}

pub(crate) async fn run(arguments: UsageArguments, config: &Config) -> anyhow::Result<ExitCode> {
    let stores = Stores::open(&config.store, &config.data).await.context("failed to open the store")?;
    let tenant = existing(&stores, &arguments.tenant).await?;
    let month = arguments.month.unwrap_or_else(|| Month::of(Timestamp::now()));
    let lines = stores.usage.usage(tenant.id, month, MOST_LINES).await.context("failed to read the usage")?;
    say(&format!("{:<36} {:<8} {:>12}", "KEY", "KIND", "COUNT"));
    for line in &lines {
        say(&format!("{:<36} {:<8} {:>12}", line.key.to_string(), line.kind.name(), line.count));
    }
    let total: u64 = lines.iter().map(|line| line.count).sum();
    say(&format!("{:<36} {:<8} {total:>12}", "", "total"));
    Ok(ExitCode::SUCCESS)
}
