//! `countersign tenants`: create, list, suspend and resume tenants. Works while the service runs.

use std::process::ExitCode;

use anyhow::Context;
use chrono::DateTime;
use clap::{Args, Subcommand};
use countersign_shared::config::Config;
use countersign_shared::domain::{
    Actor, KeyLimits, LimitsChange, RateLimit, Tenant, TenantChange, TenantId, Timestamp,
};
use countersign_shared::store::{StoreError, Stores};

use super::{note, say};

/// Rows that are read at a time.
pub(super) const PAGE: u32 = 500;

#[derive(Subcommand)]
pub(crate) enum TenantsCommand {
    /// Make a tenant and print its id.
    Create {
        /// Unlike any other's.
        name: String,
        #[command(flatten)]
        limits: LimitArguments,
    },
    /// List tenants, the oldest first.
    List {
        /// As JSON, one array.
        #[arg(long)]
        json: bool,
    },
    /// Refuse every key of a tenant, from the next request on.
    Suspend { name: String },
    /// Take a tenant's keys again.
    Resume { name: String },
}

/// How much a key may do.
#[derive(Args)]
pub(crate) struct LimitArguments {
    /// Requests a minute.
    #[arg(long, requires = "burst", value_parser = clap::value_parser!(u32).range(1..=i64::from(RateLimit::MOST)))]
    rate_per_minute: Option<u32>,
    /// Requests at once.
    #[arg(long, requires = "rate_per_minute", value_parser = clap::value_parser!(u32).range(1..=i64::from(RateLimit::MOST)))]
    burst: Option<u32>,
    /// Verifications a calendar month.
    #[arg(long)]
    monthly_quota: Option<u64>,
}

impl From<LimitArguments> for KeyLimits {
    fn from(arguments: LimitArguments) -> Self {
        let rate_limit = arguments.rate_per_minute.zip(arguments.burst);
        Self {
            rate_limit: rate_limit.map(|(per_minute, burst)| RateLimit { per_minute, burst }),
            monthly_quota: arguments.monthly_quota,
        }
    }
}

pub(crate) async fn run(command: TenantsCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let stores = Stores::open(&config.store, &config.data).await.context("failed to open the store")?;
    match command {
        TenantsCommand::Create { name, limits } => create(&stores, name, limits.into()).await,
        TenantsCommand::List { json } => list(&stores, json).await,
        TenantsCommand::Suspend { name } => suspend(&stores, &name, true).await,
        TenantsCommand::Resume { name } => suspend(&stores, &name, false).await,
    }
}

async fn create(stores: &Stores, name: String, limits: KeyLimits) -> anyhow::Result<ExitCode> {
    let tenant =
        Tenant { id: TenantId::new(), name, created_at: Timestamp::now(), suspended_at: None, limits };
    match stores.tenants.add_tenant(&tenant, Actor::CommandLine).await {
        Ok(()) => {
            say(&tenant.id.to_string());
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::Conflict) => anyhow::bail!("there is a tenant {} already", tenant.name),
        Err(error) => Err(error).context("failed to make the tenant"),
    }
}

async fn list(stores: &Stores, json: bool) -> anyhow::Result<ExitCode> {
    let mut tenants = all(stores).await?;
    tenants.reverse();
    if json {
        say(&serde_json::to_string_pretty(&tenants)?);
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{:<36} {:<20} {:<20} {}", "ID", "NAME", "CREATED", "STATE"));
    for tenant in &tenants {
        let state = tenant.suspended_at.map_or_else(String::new, |at| format!("suspended {}", day(at)));
        let created = day(tenant.created_at);
        say(&format!("{:<36} {:<20} {created:<20} {state}", tenant.id.to_string(), tenant.name));
    }
    Ok(ExitCode::SUCCESS)
}

async fn suspend(stores: &Stores, name: &str, suspended: bool) -> anyhow::Result<ExitCode> {
    let tenant = existing(stores, name).await?;
    let change = TenantChange { suspended: Some(suspended), limits: LimitsChange::default() };
    let changed = stores.tenants.change_tenant(tenant.id, change, Actor::CommandLine).await;
    changed.context("failed to change the tenant")?;
    note(&format!("{} {name}", if suspended { "suspended" } else { "resumed" }));
    Ok(ExitCode::SUCCESS)
}

/// The tenant of that name.
pub(super) async fn existing(stores: &Stores, name: &str) -> anyhow::Result<Tenant> {
    let tenants = all(stores).await?;
    let found = tenants.into_iter().find(|tenant| tenant.name == name);
    found.with_context(|| format!("there is no tenant {name}"))
}

async fn all(stores: &Stores) -> anyhow::Result<Vec<Tenant>> {
    let read = async |before: Option<TenantId>| stores.tenants.tenants(before, PAGE).await;
    every(read, |tenant| tenant.id).await.context("failed to list the tenants")
}

/// Page after page, newest first.
pub(super) async fn every<Row, Id>(
    read: impl AsyncFn(Option<Id>) -> Result<Vec<Row>, StoreError>,
    id: impl Fn(&Row) -> Id,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = read(None).await?;
    let mut more = rows.len() == PAGE as usize;
    while more {
        let page = read(rows.last().map(&id)).await?;
        more = page.len() == PAGE as usize;
        rows.extend(page);
    }
    Ok(rows)
}

/// `2026-11-23 06:30` in UTC.
pub(super) fn day(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M").to_string())
}
