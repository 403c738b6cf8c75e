//! From a URL to the rows.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::sqlite::Sqlite;
use super::{StoreError, Stores};
use crate::config::{Data, Store};

/// The store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("store.url must start with sqlite:// or postgres://")]
    UnknownUrl,
    #[error("failed to make the folder `{}`", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("failed to open the database `{}`", .path.display())]
    Database { path: PathBuf, source: StoreError },
}

impl Stores {
    /// Opens the database, makes it when there is none, and brings its tables up to date. A relative path is below the
    /// data folder. Several processes may have it open; who runs jobs on it takes the
    /// [`DataLock`](super::DataLock) first.
    pub async fn open(settings: &Store, data: &Data) -> Result<Self, OpenError> {
        let path = settings
            .url
            .strip_prefix("sqlite://")
            .map(|path| data.resolve(path))
            .ok_or(OpenError::UnknownUrl)?;
        let folder = path.parent().unwrap_or(&data.dir).to_owned();
        data.create()
            .and_then(|()| crate::config::create_private(&folder))
            .map_err(|source| OpenError::Folder { path: folder, source })?;
        let store = Sqlite::open(&path).await.map_err(|source| OpenError::Database { path, source })?;
        let store = Arc::new(store);
        Ok(Self { verifications: store.clone(), outbox: store.clone(), upkeep: store.clone(), keys: store })
    }
}
