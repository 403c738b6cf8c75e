//! Media in an S3 bucket: `{prefix}/{verification}/{role}`. Any server that speaks the protocol will do.

mod copies;
mod error;
mod listing;
mod open;
#[cfg(test)]
mod tests;
mod writer;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore, ObjectStoreExt};
use tokio::fs::File;
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::runtime::Handle;

use self::copies::Copies;
use self::error::{absent_is_fine, broken};
use self::writer::S3Writer;
use super::{BlobError, BlobKey, BlobWriter, Blobs, LocalBlob, Pieces, exactly};
use crate::domain::{Timestamp, VerificationId};

pub struct S3Blobs {
    store: Arc<AmazonS3>,
    prefix: Path,
    copies: Copies,
    /// The process's own, which outlives those of single HTTP threads.
    runtime: Handle,
}

impl S3Blobs {
    fn path(&self, below: &str) -> Path {
        self.prefix.parts().chain(Path::from(below).parts()).collect()
    }
}

#[async_trait]
impl Blobs for S3Blobs {
    async fn write(&self, key: &BlobKey) -> Result<Box<dyn BlobWriter>, BlobError> {
        let path = self.path(key.as_str());
        Ok(Box::new(S3Writer::new(self.store.clone(), path, self.runtime.clone())))
    }

    async fn local(&self, key: &BlobKey) -> Result<LocalBlob, BlobError> {
        let found = self.store.get(&self.path(key.as_str())).await?;
        let (file, path) = self.copies.create().await.map_err(error::disk)?;
        download(found, File::from_std(file)).await?;
        Ok(LocalBlob::copied(path))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<Pieces, BlobError> {
        if range.is_empty() {
            self.store.head(&self.path(key.as_str())).await?;
            return Ok(exactly(0, futures::stream::empty().boxed()));
        }
        let (store, path) = (self.store.clone(), self.path(key.as_str()));
        let length = range.end - range.start;
        let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
        // The connection, which others use later, lives on the process's runtime.
        let getting = self.runtime.spawn(async move { store.get_opts(&path, options).await });
        let found = getting.await.map_err(|panic| BlobError::Other(Box::new(panic)))??;
        Ok(exactly(length, found.into_stream().map_err(BlobError::from).boxed()))
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        absent_is_fine(self.store.delete(&self.path(key.as_str())).await)
    }

    /// The age of a verification is in its identifier, which is made when its upload begins.
    async fn older_than(
        &self,
        age: Duration,
        after: Option<VerificationId>,
        limit: usize,
    ) -> Result<Vec<VerificationId>, BlobError> {
        listing::verifications(&self.store, &self.prefix, after, Timestamp::now().before(age), limit).await
    }

    /// Parts of an unfinished upload can't be seen here; its writer removes them, and after a crash the bucket's
    /// lifecycle rule.
    async fn delete_all(&self, id: VerificationId) -> Result<(), BlobError> {
        let found = self.store.list(Some(&self.path(&id.to_string()))).map_ok(|object| object.location);
        let mut deleted = self.store.delete_stream(found.boxed());
        while let Some(result) = deleted.next().await {
            absent_is_fine(result)?;
        }
        Ok(())
    }
}

/// As many bytes as were announced, neither more nor less.
async fn download(found: GetResult, file: File) -> Result<(), BlobError> {
    let announced = found.meta.size;
    let mut file = BufWriter::new(file);
    let mut chunks = found.into_stream();
    let mut received = 0;
    while let Some(chunk) = chunks.try_next().await? {
        received += chunk.len() as u64;
        if received > announced {
            return Err(broken("more bytes came than were announced"));
        }
        file.write_all(&chunk).await.map_err(error::disk)?;
    }
    if received < announced {
        return Err(broken("fewer bytes came than were announced"));
    }
    file.flush().await.map_err(error::disk)
}
