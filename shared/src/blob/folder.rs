//! Media in a local folder: `{verification}/{role}`, and beside it what is still being written.

use std::collections::BinaryHeap;
use std::io::{self, ErrorKind, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::{BlobError, BlobKey, BlobWriter, Blobs, LocalBlob, Pieces, exactly};
use crate::config::create_private;
use crate::domain::{Timestamp, VerificationId};

/// What one upload holds in memory, besides the chunk in hand.
const BUFFER: usize = 128 * 1024;

/// What one download holds in memory.
const PIECE: usize = 64 * 1024;

/// How often the folders are made anew when a deletion next door takes them away in between.
const TRIES: u32 = 5;

pub struct FolderBlobs {
    root: PathBuf,
}

impl FolderBlobs {
    /// Makes the folder when there is none.
    pub fn open(root: PathBuf) -> io::Result<Self> {
        create_private(&root)?;
        Ok(Self { root })
    }

    fn path(&self, key: &BlobKey) -> PathBuf {
        self.root.join(key.as_str())
    }
}

#[async_trait]
impl Blobs for FolderBlobs {
    async fn write(&self, key: &BlobKey) -> Result<Box<dyn BlobWriter>, BlobError> {
        let finished = self.path(key);
        let staged = finished.with_extension(format!("{}.part", Uuid::now_v7().simple()));
        let file = create(&staged).await?;
        let staging = Staging { path: staged, root: self.root.clone(), kept: false };
        Ok(Box::new(FolderWriter { file: BufWriter::with_capacity(BUFFER, file), staging, finished }))
    }

    async fn local(&self, key: &BlobKey) -> Result<LocalBlob, BlobError> {
        let path = self.path(key);
        fs::metadata(&path).await?;
        Ok(LocalBlob::in_place(path))
    }

    async fn read(&self, key: &BlobKey, range: Range<u64>) -> Result<Pieces, BlobError> {
        let mut file = File::open(self.path(key)).await?;
        file.seek(SeekFrom::Start(range.start)).await?;
        let length = range.end.saturating_sub(range.start);
        let pieces = ReaderStream::with_capacity(file.take(length), PIECE).map_err(BlobError::from);
        Ok(exactly(length, pieces.boxed()))
    }

    async fn delete(&self, key: &BlobKey) -> Result<(), BlobError> {
        let path = self.path(key);
        absent_is_fine(fs::remove_file(&path).await)?;
        remove_empty_parents(&path, &self.root);
        Ok(())
    }

    /// The age of a verification is in its identifier, which is made when its upload begins. Every page reads the whole
    /// folder, which is in no order, and holds no more than the page.
    async fn older_than(
        &self,
        age: Duration,
        after: Option<VerificationId>,
        limit: usize,
    ) -> Result<Vec<VerificationId>, BlobError> {
        let before = Timestamp::now().before(age);
        let mut oldest = BinaryHeap::new();
        let mut entries = fs::read_dir(&self.root).await?;
        while let Some(entry) = entries.next_entry().await? {
            let id = entry.file_name().to_str().and_then(|name| name.parse::<VerificationId>().ok());
            let due =
                |id: &VerificationId| id.created_at() <= before && after.is_none_or(|after| after < *id);
            oldest.extend(id.filter(due));
            if oldest.len() > limit {
                oldest.pop();
            }
        }
        Ok(oldest.into_sorted_vec())
    }

    async fn delete_all(&self, id: VerificationId) -> Result<(), BlobError> {
        Ok(absent_is_fine(fs::remove_dir_all(self.root.join(id.to_string())).await)?)
    }
}

struct FolderWriter {
    file: BufWriter<File>,
    staging: Staging,
    finished: PathBuf,
}

#[async_trait]
impl BlobWriter for FolderWriter {
    async fn write(&mut self, chunk: Bytes) -> Result<(), BlobError> {
        Ok(self.file.write_all(&chunk).await?)
    }

    async fn finish(mut self: Box<Self>) -> Result<(), BlobError> {
        self.file.flush().await?;
        self.file.get_ref().sync_all().await?;
        fs::rename(&self.staging.path, &self.finished).await?;
        self.staging.kept = true;
        // The names must be on disk as well: the file's in its folder, and the new folders' in theirs.
        for folder in self.finished.ancestors().skip(1).take(2) {
            File::open(folder).await?.sync_all().await?;
        }
        Ok(())
    }

    async fn abort(self: Box<Self>) {}
}

/// The unfinished file, which goes when it is dropped; what a killed process leaves is found by the sweep.
struct Staging {
    path: PathBuf,
    root: PathBuf,
    kept: bool,
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.kept && std::fs::remove_file(&self.path).is_ok() {
            remove_empty_parents(&self.path, &self.root);
        }
    }
}

async fn create(path: &Path) -> io::Result<File> {
    let folder = path.parent().unwrap_or(path);
    for _ in 1..TRIES {
        create_private(folder)?;
        match OpenOptions::new().write(true).create_new(true).open(path).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            done => return done,
        }
    }
    create_private(folder)?;
    OpenOptions::new().write(true).create_new(true).open(path).await
}

/// Removes the folders between a removed file and the root, as far as they are empty.
fn remove_empty_parents(path: &Path, root: &Path) {
    for folder in path.ancestors().skip(1).take_while(|folder| *folder != root) {
        if std::fs::remove_dir(folder).is_err() {
            return;
        }
    }
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
    use crate::domain::MediaRole;

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
        assert_eq!(files_below(&blobs.root), [blobs.path(&kept)]);
        blobs.delete(&kept).await.expect("deleted");
        assert_eq!(std::fs::read_dir(&blobs.root).expect("the root stays").count(), 0);
    }

    fn files_below(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
        }
        found
    }
}
