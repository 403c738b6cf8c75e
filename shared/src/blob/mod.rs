//! The port to the media: streamed in, read as local files or streamed out, deleted.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod folder;
mod key;
mod pieces;
mod s3;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::config::{self, Data, ServiceUrl};
use crate::domain::VerificationId;

pub use folder::FolderBlobs;
pub use key::{BlobKey, InvalidBlobKey};
pub use pieces::Pieces;
pub use s3::S3Blobs;

use self::pieces::exactly;

#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    #[error("no such blob")]
    NotFound,
    /// The store can't be reached; the same call may succeed later.
    #[error("the blob store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the blob store failed")]
    Other(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The blob store can't be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("blobs.url must start with file:// or s3://")]
    UnknownUrl,
    #[error("failed to make the folder `{}`", .path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error("blobs.url must be s3://BUCKET or s3://BUCKET/PREFIX, not {0}")]
    InvalidS3Url(ServiceUrl),
    #[error("blobs.access_key and blobs.secret_key must both be set, or neither")]
    OneKey,
    #[error("there is no bucket {0}; make it, or look at blobs.url and blobs.endpoint")]
    NoBucket(ServiceUrl),
    #[error(
        "the bucket {url} refused us; look at blobs.access_key, blobs.secret_key and the rights of their user"
    )]
    Refused { url: ServiceUrl, source: Cause },
    /// It may be there later.
    #[error("the bucket {url} can't be reached")]
    Unavailable { url: ServiceUrl, source: Cause },
    #[error("the bucket {url} can't be used; look at blobs.endpoint and blobs.region")]
    S3 { url: ServiceUrl, source: Cause },
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl OpenError {
    /// Whether waiting may mend it.
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// The blob store of the settings. A relative path is below the data folder.
pub async fn open(settings: &config::Blobs, data: &Data) -> Result<Arc<dyn Blobs>, OpenError> {
    if settings.url.starts_with("s3://") {
        return Ok(Arc::new(S3Blobs::open(settings, data).await?));
    }
    let path = settings.url.strip_prefix("file://").ok_or(OpenError::UnknownUrl)?;
    let path = data.resolve(path);
    let blobs = FolderBlobs::open(path.clone()).map_err(|source| OpenError::Folder { path, source })?;
    Ok(Arc::new(blobs))
}

#[async_trait]
pub trait Blobs: Send + Sync {
    /// Starts a blob, which exists only once it is finished. At most a few chunks are held in memory.
    async fn write(&self, key: &BlobKey) -> Result<Box<dyn BlobWriter>, BlobError>;
    /// The blob as a local file, for decoders that seek: the file itself where it is local, else a temporary copy.
    async fn local(&self, key: &BlobKey) -> Result<LocalBlob, BlobError>;
    /// The bytes of that range, piece by piece, none of them large. An error among them ends them: a blob that is
    /// shorter than the range is one.
    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<Pieces, BlobError>;
    /// Deleting what does not exist is no error.
    async fn delete(&self, key: &BlobKey) -> Result<(), BlobError>;
    /// Verifications at least as old as `age` that have blobs or unfinished uploads: in order, those after `after`, at
    /// most `limit`.
    async fn older_than(
        &self,
        age: Duration,
        after: Option<VerificationId>,
        limit: usize,
    ) -> Result<Vec<VerificationId>, BlobError>;
    /// Deletes everything of a verification, unfinished uploads too.
    async fn delete_all(&self, id: VerificationId) -> Result<(), BlobError>;
}

/// A blob that is being written. Dropping it unfinished leaves nothing behind, at once or after the sweep.
#[async_trait]
pub trait BlobWriter: Send {
    async fn write(&mut self, chunk: Bytes) -> Result<(), BlobError>;
    /// Makes the blob visible and durable.
    async fn finish(self: Box<Self>) -> Result<(), BlobError>;
    /// Throws the blob away.
    async fn abort(self: Box<Self>);
}

/// A local file that holds a blob's content for as long as this value lives.
pub struct LocalBlob {
    path: PathBuf,
    _temporary: Option<tempfile::TempPath>,
}

impl LocalBlob {
    /// The store's own file.
    pub fn in_place(path: PathBuf) -> Self {
        Self { path, _temporary: None }
    }

    /// A copy that is deleted with this value.
    pub fn copied(temporary: tempfile::TempPath) -> Self {
        Self { path: temporary.to_path_buf(), _temporary: Some(temporary) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}
