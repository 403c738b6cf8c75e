//! One embedded process to its folders: two would run the same rows and sweep each other's media.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Config, ServiceUrl, create_private};

const FILE: &str = "serve.lock";

/// The right to run jobs on the data folder, the rows and the media, which may lie apart; the operating system takes it back when the process ends, however it ends.
///
/// Reading the store and changing keys needs no lock.
#[derive(Debug)]
pub struct DataLock {
    _files: Vec<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another countersign process serves from `{}`; stop it, or set data.dir to another folder", .0.display())]
    Taken(PathBuf),
    #[error("failed to lock `{}`", .path.display())]
    Failed { path: PathBuf, source: io::Error },
}

impl DataLock {
    pub fn take(config: &Config) -> Result<Self, LockError> {
        let data = &config.data;
        let below = |url: &ServiceUrl, scheme: &str| url.strip_prefix(scheme).map(|path| data.resolve(path));
        let rows = below(&config.store.url, "sqlite://").and_then(|file| file.parent().map(Path::to_owned));
        let media = below(&config.blobs.url, "file://");
        let mut folders: Vec<PathBuf> = [Some(data.dir.clone()), rows, media].into_iter().flatten().collect();
        folders.sort();
        folders.dedup();
        Ok(Self { _files: folders.iter().map(|folder| lock(folder)).collect::<Result<_, _>>()? })
    }
}

fn lock(folder: &Path) -> Result<File, LockError> {
    let path = folder.join(FILE);
    let failed = |source| LockError::Failed { path: path.clone(), source };
    create_private(folder).map_err(failed)?;
    let file =
        File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LockError::Taken(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(data: &Path, media: &Path) -> Config {
        let mut config = Config::load(None, []).expect("the defaults");
        config.data.dir = data.to_owned();
        config.blobs.url = format!("file://{}", media.display()).into();
        config
    }

    #[test]
    fn a_data_folder_is_served_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = config(&folder.path().join("data"), Path::new("media"));
        let first = DataLock::take(&config).expect("nobody holds it");
        assert!(matches!(DataLock::take(&config), Err(LockError::Taken(_))));
        drop(first);
        assert!(DataLock::take(&config).is_ok());
    }

    #[test]
    fn media_that_lie_elsewhere_are_swept_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let media = folder.path().join("media");
        let _first = DataLock::take(&config(&folder.path().join("one"), &media)).expect("nobody holds it");
        assert!(matches!(
            DataLock::take(&config(&folder.path().join("other"), &media)),
            Err(LockError::Taken(taken)) if taken == media
        ));
    }
}
