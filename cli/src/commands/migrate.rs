//! `countersign migrate`: brings the database's tables up to date.

use std::process::ExitCode;

use anyhow::Context;
use countersign_shared::config::Config;
use countersign_shared::store::Stores;

use super::say;

pub(crate) async fn run(config: &Config) -> anyhow::Result<ExitCode> {
    let migrated = Stores::migrate(&config.store, &config.data).await.context("failed to migrate")?;
    for migration in &migrated.applied {
        say(&format!("applied {migration}"));
    }
    say(&format!("{} is up to date", config.store.url));
    Ok(ExitCode::SUCCESS)
}
