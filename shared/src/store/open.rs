//! From a URL to the rows.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::migrations::{Migrated, TablesError};
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{
    AuditLog, ChallengeStore, DeliveryStore, ErasureStore, IdempotencyStore, KeyStore, Outbox, Overview,
    ReviewStore, StoreError, Stores, TenantStore, Upkeep, UsageStore, VerificationStore, WebhookStore,
};
use crate::config::{Data, Store};

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("store.url must start with sqlite:// or postgres://")]
    UnknownUrl,
    #[error("failed to make the folder `{}`", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// `name` is the file, or the URL without its password.
    #[error("failed to open the database `{name}`")]
    Database { name: String, source: StoreError },
    #[error("the database `{name}` is {count} migration(s) behind this build: run `countersign migrate`")]
    Behind { name: String, count: usize },
}

impl Stores {
    /// Opens the database, and brings its tables up to date or, where the settings don't allow it, checks them. A file
    /// is made when there is none; a relative path is below the data folder. Several processes may have it open; who
    /// runs jobs on a file takes the [`DataLock`](super::DataLock) first.
    pub async fn open(settings: &Store, data: &Data) -> Result<Self, OpenError> {
        match place(settings, data)? {
            Place::File(path) => {
                let opened = Box::pin(Sqlite::open(&path, settings.migrate)).await;
                let store = opened.map_err(|error| OpenError::of(path.display().to_string(), error))?;
                Ok(Self::over(Arc::new(store)))
            }
            Place::Server => {
                // Boxed: whoever opens a store would carry the size of what it takes to migrate.
                let opened = Box::pin(Postgres::open(settings)).await;
                let store = opened.map_err(|error| OpenError::of(settings.url.to_string(), error))?;
                Ok(Self::over(Arc::new(store)))
            }
        }
    }

    /// Brings the tables up to date, whatever `store.migrate` says.
    pub async fn migrate(settings: &Store, data: &Data) -> Result<Migrated, OpenError> {
        match place(settings, data)? {
            Place::File(path) => {
                let migrated = async { Sqlite::connect(&path).await?.migrate().await };
                migrated.await.map_err(|error| OpenError::of(path.display().to_string(), error))
            }
            Place::Server => {
                let migrated = Box::pin(Postgres::migrate(&settings.url)).await;
                migrated.map_err(|error| OpenError::of(settings.url.to_string(), error))
            }
        }
    }

    pub(super) fn over<Store>(store: Arc<Store>) -> Self
    where
        Store: VerificationStore
            + Outbox
            + Upkeep
            + KeyStore
            + Overview
            + ReviewStore
            + TenantStore
            + UsageStore
            + ErasureStore
            + AuditLog
            + WebhookStore
            + DeliveryStore
            + IdempotencyStore
            + ChallengeStore
            + 'static,
    {
        Self {
            verifications: store.clone(),
            outbox: store.clone(),
            upkeep: store.clone(),
            keys: store.clone(),
            tenants: store.clone(),
            usage: store.clone(),
            erasures: store.clone(),
            audit: store.clone(),
            overview: store.clone(),
            reviews: store.clone(),
            webhooks: store.clone(),
            deliveries: store.clone(),
            idempotency: store.clone(),
            challenges: store,
        }
    }
}

impl OpenError {
    /// Whether waiting may mend it.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Database { source: StoreError::Unavailable(_), .. })
    }

    fn of(name: String, error: TablesError) -> Self {
        match error {
            TablesError::Behind(count) => Self::Behind { name, count },
            TablesError::Failed(source) => Self::Database { name, source },
        }
    }
}

enum Place {
    File(PathBuf),
    Server,
}

/// Where the rows lie; the folder of a file is made.
fn place(settings: &Store, data: &Data) -> Result<Place, OpenError> {
    let url = &settings.url;
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok(Place::Server);
    }
    let path = url.strip_prefix("sqlite://").map(|path| data.resolve(path)).ok_or(OpenError::UnknownUrl)?;
    let folder = path.parent().unwrap_or(&data.dir).to_owned();
    data.create()
        .and_then(|()| crate::config::create_private(&folder))
        .map_err(|source| OpenError::Folder { path: folder, source })?;
    Ok(Place::File(path))
}
