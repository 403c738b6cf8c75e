//! Media in a local folder: `{verification}.{role}`, and in a folder of their own those that are still being written.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::{BlobError, BlobKey, BlobWriter, Blobs, LocalBlob, Pieces, exactly};
use crate::config::create_private;
use crate::domain::{MediaRole, Timestamp, VerificationId};

/// What one upload holds in memory, besides the chunk in hand.
const BUFFER: usize = 128 * 1024;

/// What one download holds in memory.
const PIECE: usize = 64 * 1024;

pub struct FolderBlobs {
    folders: Arc<Folders>,
}

/// One file system holds both, so that finishing a file is giving it another name.
struct Folders {
    root: PathBuf,
    unfinished: PathBuf,
}

impl FolderBlobs {
    /// Makes the folder when there is none.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        let unfinished = root.join("unfinished");
        create_private(&unfinished)?;
        Ok(Self { folders: Arc::new(Folders { root, unfinished }) })
    }

    fn path(&self, key: &BlobKey) -> PathBuf {
        self.folders.root.join(name(key))
    }
}

fn name(key: &BlobKey) -> String {
    key.as_str().replace('/', ".")
}

#[async_trait]
impl Blobs for FolderBlobs {
    async fn write(&self, key: &BlobKey) -> Result<Box<dyn BlobWriter>, BlobError> {
        let staged = format!("{}.{}", name(key), Uuid::now_v7().simple());
        Ok(Box::new(FolderWriter {
            held: Vec::new(),
            staging: Staging { path: self.folders.unfinished.join(staged), file: None },
            folders: Arc::clone(&self.folders),
            finished: self.path(key),
        }))
    }

    async fn local(&self, key: &BlobKey) -> Result<LocalBlob, BlobError> {
        let path = self.path(key);
        tokio::fs::metadata(&path).await?;
        Ok(LocalBlob::in_place(path))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<Pieces, BlobError> {
        let mut file = tokio::fs::File::open(self.path(key)).await?;
        file.seek(SeekFrom::Start(range.start)).await?;
        let length = range.end.saturating_sub(range.start);
        let pieces = ReaderStream::with_capacity(file.take(length), PIECE).map_err(BlobError::from);
        Ok(exactly(length, pieces.boxed()))
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        Ok(absent_is_fine(tokio::fs::remove_file(self.path(key)).await)?)
    }

    /// The age of a verification is in its identifier, which is made when its upload begins. Every page reads the whole
    /// folder, which is in no order, and holds no more than the page.
    async fn older_than(
        &self,
        age: Duration,
        after: Option<VerificationId>,
        limit: usize,
    ) -> Result<Vec<VerificationId>, BlobError> {
        let folders = Arc::clone(&self.folders);
        let before = Timestamp::now().before(age);
        blocking(move || {
            let mut oldest = BTreeSet::new();
            for folder in [&folders.root, &folders.unfinished] {
                for entry in fs::read_dir(folder)? {
                    let id = owner(&entry?.file_name().to_string_lossy());
                    let due = |id: &VerificationId| {
                        id.created_at() <= before && after.is_none_or(|after| after < *id)
                    };
                    oldest.extend(id.filter(due));
                    if oldest.len() > limit {
                        oldest.pop_last();
                    }
                }
            }
            Ok(oldest.into_iter().collect())
        })
        .await
    }

    async fn delete_all(&self, id: VerificationId) -> Result<(), BlobError> {
        let folders = Arc::clone(&self.folders);
        blocking(move || {
            for role in MediaRole::ALL {
                absent_is_fine(fs::remove_file(folders.root.join(name(&BlobKey::new(id, role)))))?;
            }
            for entry in fs::read_dir(&folders.unfinished)? {
                let entry = entry?;
                if owner(&entry.file_name().to_string_lossy()) == Some(id) {
                    absent_is_fine(fs::remove_file(entry.path()))?;
                }
            }
            Ok(())
        })
        .await
    }
}

/// Whose file that is.
fn owner(file: &str) -> Option<VerificationId> {
    file.split('.').next().and_then(|id| id.parse().ok())
}

/// Every call into the file system may wait for a disk, and each way to another thread costs as much as a small file.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, BlobError> {
    Ok(spawn_blocking(work).await.map_err(io::Error::other)??)
}

struct FolderWriter {
    held: Vec<u8>,
    staging: Staging,
    folders: Arc<Folders>,
    finished: PathBuf,
}

#[async_trait]
impl BlobWriter for FolderWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<(), BlobError> {
        self.held.extend_from_slice(&chunk);
        if self.held.len() < BUFFER {
            return Ok(());
        }
        let (held, mut staging) = (std::mem::take(&mut self.held), self.staging.take());
        (self.held, self.staging) = blocking(move || {
            let mut held = held;
            staging.append(&held)?;
            held.clear();
            Ok((held, staging))
        })
        .await?;
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<(), BlobError> {
        let Self { held, staging, folders, finished } = *self;
        let (done, waiting) = oneshot::channel();
        spawn_blocking(move || {
            let result = staging.finish(&held, &finished, &folders);
            // Whoever has given up meanwhile may already have deleted what there was.
            if done.send(result).is_err() {
                let _swept_later = fs::remove_file(&finished);
            }
        });
        Ok(waiting.await.map_err(io::Error::other)??)
    }

    async fn abort(self: Box<Self>) {}
}

/// The unfinished file, if there is one yet. It goes when it is dropped; what a killed process leaves is found by the sweep.
struct Staging {
    path: PathBuf,
    file: Option<File>,
}

impl Staging {
    fn take(&mut self) -> Self {
        Self { path: self.path.clone(), file: self.file.take() }
    }

    fn append(&mut self, content: &[u8]) -> io::Result<&File> {
        let file = match self.file.take() {
            Some(file) => file,
            None => create(&self.path)?,
        };
        let file = self.file.insert(file);
        file.write_all(content)?;
        Ok(file)
    }

    fn finish(mut self, content: &[u8], finished: &Path, folders: &Folders) -> io::Result<()> {
        self.append(content)?.sync_all()?;
        fs::rename(&self.path, finished)?;
        self.file = None;
        // The name must be on disk as well.
        File::open(&folders.root)?.sync_all()
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _swept_later = fs::remove_file(&self.path);
        }
    }
}

/// Makes its folder anew if somebody has cleared it away.
fn create(path: &Path) -> io::Result<File> {
    let open = || OpenOptions::new().write(true).create_new(true).open(path);
    open().or_else(|error| match (error.kind(), path.parent()) {
        (ErrorKind::NotFound, Some(folder)) => create_private(folder).and_then(|()| open()),
        _ => Err(error),
    })
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::TimedOut
            | ErrorKind::ResourceBusy => Self::Unavailable(Box::new(error)),
            _ => Self::Other(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, FolderBlobs) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let blobs = FolderBlobs::open(folder.path().join("media")).expect("the folder is made");
        (folder, blobs)
    }

    crate::blob::contract::suite!(blobs());

    #[tokio::test]
    async fn nothing_but_finished_files_is_left_on_disk() {
        let (_folder, blobs) = blobs();
        let key = |role| BlobKey::new(VerificationId::new(), role);
        let (kept, gone) = (key(MediaRole::Photo), key(MediaRole::Video));
        let mut writer = blobs.write(&gone).await.expect("a writer");
        writer.write(Bytes::from_static(b"half")).await.expect("written");
        drop(writer);
        blobs.write(&gone).await.expect("a writer").abort().await;
        blobs.write(&kept).await.expect("a writer").finish().await.expect("finished");
        let mut long = blobs.write(&gone).await.expect("a writer");
        long.write(vec![7; 2 * BUFFER].into()).await.expect("written");
        assert_eq!(files_below(&blobs.folders.unfinished).len(), 1, "a long upload is not kept in memory");
        drop(long);
        fs::remove_dir(&blobs.folders.unfinished).expect("removed");
        blobs.write(&kept).await.expect("a writer").finish().await.expect("finished in a folder made anew");
        assert_eq!(files_below(&blobs.folders.root), [blobs.path(&kept)]);
        blobs.delete(&kept).await.expect("deleted");
        assert!(files_below(&blobs.folders.root).is_empty());
    }

    #[test]
    fn a_blob_that_is_given_up_while_it_is_finished_leaves_nothing() {
        let one_thread = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
        one_thread.expect("a runtime").block_on(async {
            let (_folder, blobs) = blobs();
            let (busy, free) = std::sync::mpsc::channel::<()>();
            spawn_blocking(move || free.recv());
            let writer = blobs.write(&BlobKey::new(VerificationId::new(), MediaRole::Photo)).await;
            let mut finishing = writer.expect("a writer").finish();
            assert!(futures::poll!(&mut finishing).is_pending());
            drop(finishing);
            drop(busy);
            // Behind it in the only thread.
            spawn_blocking(|| ()).await.expect("it is done");
            assert!(files_below(&blobs.folders.root).is_empty());
        });
    }

    fn files_below(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
        }
        found
    }
}
