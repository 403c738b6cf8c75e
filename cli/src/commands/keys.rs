//! `countersign keys`: create, list, rotate and revoke API keys. Works while the service runs.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use countersign_shared::config::Config;
use countersign_shared::domain::{Actor, ApiKey, ApiKeyInfo, KeyId, KeyLimits, Scope, Timestamp};
use countersign_shared::store::{StoreError, Stores};

use super::tenants::{LimitArguments, PAGE, day, every, existing};
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
        #[command(flatten)]
        limits: LimitArguments,
    },
    /// List keys without their secrets.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
        /// As JSON, one array.
        #[arg(long)]
        json: bool,
    },
    /// Make a key with the same properties in the place of an old one and print it, once.
    Rotate {
        /// The old key's id.
        id: KeyId,
        /// How long the old key stays valid.
        #[arg(long, default_value = "24h")]
        overlap: humantime::Duration,
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
        KeysCommand::Create { tenant, label, scopes, expires_in, limits } => {
            let new = NewKey { label, scopes, expires_in: expires_in.map(Into::into), limits: limits.into() };
            create(&stores, tenant, new).await
        }
        KeysCommand::List { tenant, json } => list(&stores, tenant, json).await,
        KeysCommand::Rotate { id, overlap } => rotate(&stores, id, overlap.into()).await,
        KeysCommand::Revoke { id } => revoke(&stores, id).await,
    }
}

struct NewKey {
    label: String,
    scopes: Vec<Scope>,
    expires_in: Option<Duration>,
    limits: KeyLimits,
}

async fn create(stores: &Stores, tenant_name: String, new: NewKey) -> anyhow::Result<ExitCode> {
    let key = ApiKey::generate();
    let created_at = Timestamp::now();
    let tenant = stores.tenants.tenant_named(&tenant_name, Actor::CommandLine).await;
    let info = ApiKeyInfo {
        id: KeyId::new(),
        tenant: tenant.context("failed to find or make the tenant")?,
        tenant_name,
        label: new.label,
        scopes: new.scopes,
        created_at,
        expires_at: new.expires_in.map(|duration| created_at.after(duration)),
        revoked_at: None,
        last_used_at: None,
        limits: new.limits,
    };
    let added = stores.keys.add_key(&info, &key.hash(), Actor::CommandLine).await;
    added.context("failed to store the key")?;
    show_once(&info, &key);
    Ok(ExitCode::SUCCESS)
}

fn show_once(info: &ApiKeyInfo, key: &ApiKey) {
    note(&format!(
        "created {} for tenant {}; this is the only time that it is shown:",
        info.id, info.tenant_name
    ));
    say(key.reveal());
}

async fn list(stores: &Stores, tenant: Option<String>, json: bool) -> anyhow::Result<ExitCode> {
    let tenant = match tenant {
        Some(name) => Some(existing(stores, &name).await?.id),
        None => None,
    };
    let read = async |before: Option<KeyId>| stores.keys.keys(tenant, before, PAGE).await;
    // The oldest first, as they were made.
    let mut keys = every(read, |key| key.id).await.context("failed to list the keys")?;
    keys.reverse();
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

async fn rotate(stores: &Stores, id: KeyId, overlap: Duration) -> anyhow::Result<ExitCode> {
    let key = ApiKey::generate();
    match stores.keys.rotate_key(id, &key.hash(), overlap, Actor::CommandLine).await {
        Ok(info) => {
            show_once(&info, &key);
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::NotFound) => anyhow::bail!("there is no key {id}"),
        Err(StoreError::Conflict) => anyhow::bail!("the key {id} is revoked or has expired"),
        Err(error) => Err(error).context("failed to rotate the key"),
    }
}

async fn revoke(stores: &Stores, id: KeyId) -> anyhow::Result<ExitCode> {
    match stores.keys.revoke_key(id, Actor::CommandLine).await {
        Ok(()) => {
            note(&format!("revoked {id}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(StoreError::NotFound) => anyhow::bail!("there is no key {id}"),
        Err(error) => Err(error).context("failed to revoke the key"),
    }
}
