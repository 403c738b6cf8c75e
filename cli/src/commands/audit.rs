//! `countersign audit`: the audit log as lines of JSON.

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use countersign_shared::config::Config;
use countersign_shared::domain::{AuditFilter, AuditLine, TenantId, Timestamp};
use countersign_shared::store::Stores;

use super::say;

/// Entries that are read at a time.
const BATCH: u32 = 500;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Print entries, newest first, each as a line of JSON.
    Export {
        /// Only what was done to the resources of the tenant with this id.
        #[arg(long)]
        tenant: Option<TenantId>,
        /// Only this action, such as `key.created`.
        #[arg(long)]
        action: Option<String>,
        /// At this time or later, such as `2026-11-27T09:30:00Z`.
        #[arg(long)]
        from: Option<Timestamp>,
        /// Before this time.
        #[arg(long)]
        until: Option<Timestamp>,
    },
}

pub(crate) async fn run(command: AuditCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let AuditCommand::Export { tenant, action, from, until } = command;
    let stores = Stores::open(&config.store, &config.data).await.context("failed to open the store")?;
    let filter = AuditFilter { tenant, action, from, until };
    let mut before = None;
    loop {
        let entries = stores.audit.entries(&filter, before, BATCH).await;
        let entries = entries.context("failed to read the audit log")?;
        let is_last = entries.len() < BATCH as usize;
        before = entries.last().map(|entry| entry.id);
        for entry in entries {
            say(&serde_json::to_string(&AuditLine::from(entry))?);
        }
        if is_last {
            return Ok(ExitCode::SUCCESS);
        }
    }
}
