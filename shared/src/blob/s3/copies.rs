//! Local copies of blobs, for decoders that seek: private files in a folder of this process, gone when they are dropped.
//! What a killed process leaves behind, the next one that starts removes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tempfile::{TempDir, TempPath};

use crate::config::create_private;

pub(super) struct Copies {
    root: PathBuf,
    /// Made with the first copy: a front end makes none, and may have no disk to write to.
    own: Arc<Mutex<Option<Own>>>,
}

/// A folder below the root that belongs to one process.
struct Own {
    folder: TempDir,
    /// Locked as long as the process lives.
    _lock: File,
}

impl Copies {
    pub(super) fn new(root: PathBuf) -> Self {
        if let Err(error) = sweep(&root) {
            tracing::warn!(error = %error, folder = %root.display(), "failed to remove old copies of media");
        }
        Self { root, own: Arc::default() }
    }

    /// A new empty file that only this user can read.
    pub(super) async fn create(&self) -> io::Result<(File, TempPath)> {
        let (root, own) = (self.root.clone(), self.own.clone());
        let made = tokio::task::spawn_blocking(move || {
            let mut own = own.lock().unwrap_or_else(PoisonError::into_inner);
            let own = match own.take().filter(|own| own.folder.path().exists()) {
                Some(kept) => own.insert(kept),
                None => own.insert(Own::make(&root)?),
            };
            tempfile::Builder::new().prefix("").tempfile_in(own.folder.path())
        });
        Ok(made.await.map_err(io::Error::other)??.into_parts())
    }
}

impl Own {
    fn make(root: &Path) -> io::Result<Self> {
        create_private(root)?;
        loop {
            let folder = private().tempdir_in(root)?;
            let lock = File::open(folder.path())?;
            // Between its making and its locking, another process may have taken it for an abandoned one.
            if lock.try_lock().is_ok() && folder.path().exists() {
                return Ok(Self { folder, _lock: lock });
            }
        }
    }
}

/// Makes folders into which only this user may look.
fn private() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

/// Removes the folders of processes that have ended.
fn sweep(root: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let Ok(folder) = File::open(&path) else { continue };
        if folder.try_lock().is_ok() {
            fs::remove_dir_all(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn entries(folder: &Path) -> usize {
        fs::read_dir(folder).map_or(0, Iterator::count)
    }

    #[tokio::test]
    async fn a_copy_is_private_and_goes_with_its_owner() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("copies");
        let copies = Copies::new(root.clone());
        assert!(!root.exists(), "a front end makes no folder");
        let (mut file, path) = copies.create().await.expect("a copy");
        file.write_all(b"a face").expect("written");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("a folder")), 0o700);
        assert_eq!(mode(&root), 0o700);
        let copy = path.to_path_buf();
        drop(path);
        assert!(!copy.exists());
        drop(copies);
        assert_eq!(entries(&root), 0);
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_swept_and_what_a_living_one_holds_is_not() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("copies");
        let living = Copies::new(root.clone());
        let (_file, held) = living.create().await.expect("a copy");
        let abandoned = root.join("abandoned");
        fs::create_dir(&abandoned).expect("a folder");
        fs::write(abandoned.join("copy"), b"a face").expect("written");
        let _starting = Copies::new(root.clone());
        assert!(!abandoned.exists());
        assert!(held.exists());
    }

    #[tokio::test]
    async fn a_folder_that_was_cleaned_away_is_made_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path().join("copies");
        let copies = Copies::new(root.clone());
        drop(copies.create().await.expect("a copy"));
        fs::remove_dir_all(&root).expect("removed");
        assert!(copies.create().await.is_ok());
    }
}
