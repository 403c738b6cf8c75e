//! One embedded process to a data folder: two would run the same rows at the same time.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;

use crate::config::Data;

const FILE: &str = "serve.lock";

/// The right to run jobs on a data folder; the operating system takes it back when the process ends, however it ends.
///
/// Reading the store and changing keys needs no lock.
#[derive(Debug)]
pub struct DataLock {
    _file: File,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("another countersign process serves from `{}`; stop it, or set data.dir to another folder", .0.display())]
    Taken(PathBuf),
    #[error("failed to lock `{}`", .path.display())]
    Failed { path: PathBuf, source: io::Error },
}

impl DataLock {
    pub fn take(data: &Data) -> Result<Self, LockError> {
        let path = data.resolve(FILE);
        let failed = |source| LockError::Failed { path: path.clone(), source };
        data.create().map_err(failed)?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken(data.dir.clone())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_folder_is_served_by_one_process_at_a_time() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = Data { dir: folder.path().join("data") };
        let first = DataLock::take(&data).expect("nobody holds it");
        assert!(matches!(DataLock::take(&data), Err(LockError::Taken(_))));
        drop(first);
        assert!(DataLock::take(&data).is_ok());
    }
}
