//! `countersign keys`: create, list and revoke API keys. Works while the service runs.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use chrono::DateTime;
use clap::Subcommand;
use countersign_shared::config::Config;
use countersign_shared::domain::{ApiKey, ApiKeyInfo, KeyId, Scope, Timestamp};
use countersign_shared::store::{StoreError, Stores};

use super::{note, say};

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key and print it, once: only its hash is stored.
    Create {
        /// The tenant it belongs to; made when it does not exist.
        #[arg(long, default_value = "default")]
        tenant: String,
        /// Your own name for the key.
        #[arg(long, default_value = "")]
        label: String,
        /// What it may do; repeat for several.
        #[arg(long = "scope", default_values = ["verify:write", "verify:read"])]
        scopes: Vec<Scope>,
        /// How long it is valid, such as `30d`; for ever when not given.
        #[arg(long)]
        expires_in: Option<humantime::Duration>,
    },
    /// List keys without their secrets.
    List {
        /// As JSON, one array.
        #[arg(long)]
        json: bool,
    },
    /// Revoke a key at once.
    Revoke {
        /// The key's id, such as `key_0193…`.
        id: KeyId,
    },
}

pub(crate) async fn run(command: KeysCommand, config: &Config) -> anyhow::Result<ExitCode> {
    let stores = Stores::open(&config.store, &config.data).await.context("failed to open the store")?;
    match command {
        KeysCommand::Create { tenant, label, scopes, expires_in } => {
            create(&stores, tenant, label, scopes, expires_in.map(Into::into)).await
        }
        KeysCommand::List { json } => list(&stores, json).await,
        KeysCommand::Revoke { id } => revoke(&stores, id).await,
    }
}

async fn create(
    stores: &Stores,
    tenant_name: String,
    label: String,
    scopes: Vec<Scope>,
    expires_in: Option<Duration>,
) -> anyhow::Result<ExitCode> {
    let key = ApiKey::generate();
    let created_at = Timestamp::now();
    let info = ApiKeyInfo {
        id: KeyId::new(),
        tenant: stores.keys.tenant(&tenant_name).await.context("failed to find or make the tenant")?,
        tenant_name,
        label,
        scopes,
        created_at,
        expires_at: expires_in.map(|duration| created_at.after(duration)),
        revoked_at: None,
        last_used_at: None,
    };
    stores.keys.add_key(&info, &key.hash()).await.context("failed to store the key")?;
    note(&format!(
        "created {} for tenant {}; this is the only time that it is shown:",
        info.id, info.tenant_name
    ));
    say(key.reveal());
    Ok(ExitCode::SUCCESS)
}

async fn list(stores: &Stores, json: bool) -> anyhow::Result<ExitCode> {
    let keys = stores.keys.keys().await.context("failed to list the keys")?;
    if json {
        say(&serde_json::to_string_pretty(&keys)?);
        return Ok(ExitCode::SUCCESS);
    }
    say(&format!("{:<36} {:<16} {:<20} {:<20} {}", "ID", "TENANT", "LABEL", "CREATED", "STATE"));
    for key in &keys {
        let state = match (key.revoked_at, key.expires_at) {
            (Some(at), _) => format!("revoked {}", day(at)),
            (None, Some(at)) if at <= Timestamp::now() => format!("expired {}", day(at)),
            (None, Some(at)) => format!("valid until {}", day(at)),
            (None, None) => "valid".to_owned(),
        };
        let created = day(key.created_at);
        say(&format!(
            "{:<36} {:<16} {:<20} {created:<20} {state}",
            key.id.to_string(),
            key.tenant_name,
            key.label
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn revoke(stores: &Stores, id: KeyId) -> anyhow::Result<ExitCode> {
    match stores.keys.revoke_key(id).await {
        Ok(()) => {
            note(&format!("revoked {id}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::NotFound) => anyhow::bail!("there is no key {id}"),
        Err(error) => Err(error).context("failed to revoke the key"),
    }
}

/// `2026-11-23 06:30` in UTC.
fn day(at: Timestamp) -> String {
    DateTime::from_timestamp_millis(at.as_millis())
        .map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M").to_string())
}
