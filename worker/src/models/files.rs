//! The folder that holds the models' files, and what is known about them.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::source::Expected;
use super::{Digest, Model};

const RECEIPTS: &str = ".receipts.json";
const CHUNK: usize = 1 << 20;

/// Where models lie on this machine.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    dir: PathBuf,
}

/// What can be said of a model's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Every byte was verified, and the file has not changed since.
    Present,
    /// A file of the right size that nobody has verified.
    Unverified,
    /// The file is not the model.
    Wrong,
    Missing,
}

/// Models that can't be used.
#[derive(Debug, thiserror::Error)]
#[error("models are missing or damaged in `{}`: {}; run `countersign models pull`", dir.display(), names.join(", "))]
pub struct NotReady {
    pub dir: PathBuf,
    pub names: Vec<String>,
}

/// A file as it was when every byte was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Receipt {
    sha256: Digest,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl ModelFiles {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the model's file lies, whether it is there or not.
    pub fn path(&self, model: &Model) -> PathBuf {
        self.dir.join(&model.file)
    }

    /// A quick look that reads no model: size, time and the receipt of the last verification.
    pub fn look(&self, model: &Model) -> State {
        let Ok(metadata) = fs::metadata(self.path(model)) else { return State::Missing };
        if !metadata.is_file() || metadata.len() != model.bytes {
            return State::Wrong;
        }
        let receipt = self.receipts().remove(&model.file);
        let unchanged = receipt.is_some_and(|receipt| {
            receipt == Receipt { sha256: model.sha256, bytes: model.bytes, modified: modified(&metadata) }
        });
        if unchanged { State::Present } else { State::Unverified }
    }

    /// Reads every byte. Leaves a receipt when the file is the model.
    pub fn verify(&self, model: &Model) -> io::Result<State> {
        let path = self.path(model);
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Missing),
            Err(error) => return Err(error),
        };
        if !metadata.is_file() || metadata.len() != model.bytes || measure(&path)? != model.expected() {
            return Ok(State::Wrong);
        }
        // A folder that can't be written is verified again next time; that is all.
        let _ = self.leave_receipt(model, &metadata);
        Ok(State::Present)
    }

    /// Quick when there is a receipt, thorough when not.
    pub fn check(&self, model: &Model) -> io::Result<State> {
        match self.look(model) {
            State::Unverified => self.verify(model),
            certain => Ok(certain),
        }
    }

    /// Each of these models is there and is what the manifest says; to be called before they are loaded.
    pub fn ensure<'a>(&self, models: impl IntoIterator<Item = &'a Model>) -> Result<(), NotReady> {
        let names: Vec<String> = models
            .into_iter()
            .filter(|model| !matches!(self.check(model), Ok(State::Present)))
            .map(|model| model.name.clone())
            .collect();
        if names.is_empty() { Ok(()) } else { Err(NotReady { dir: self.dir.clone(), names }) }
    }

    fn receipts(&self) -> BTreeMap<String, Receipt> {
        let text = fs::read(self.dir.join(RECEIPTS)).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Two at once may lose one of two receipts; that file is only verified once more.
    fn leave_receipt(&self, model: &Model, metadata: &Metadata) -> io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut receipts = self.receipts();
        let receipt = Receipt { sha256: model.sha256, bytes: model.bytes, modified: modified(metadata) };
        if receipts.get(&model.file) == Some(&receipt) {
            return Ok(());
        }
        receipts.insert(model.file.clone(), receipt);
        let name = format!("{RECEIPTS}.{}.{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let draft = self.dir.join(name);
        fs::write(&draft, serde_json::to_vec_pretty(&receipts)?)?;
        fs::rename(&draft, self.dir.join(RECEIPTS)).inspect_err(|_| {
            let _ = fs::remove_file(&draft);
        })
    }
}

/// The size and SHA-256 of a file, every byte read.
pub(super) fn measure(path: &Path) -> io::Result<Expected> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        let count = file.read(&mut chunk)?;
        if count == 0 {
            return Ok(Expected { sha256: Digest::finish(hasher), bytes });
        }
        bytes += count as u64;
        hasher.update(&chunk[..count]);
    }
}

fn modified(metadata: &Metadata) -> u64 {
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map_or(0, |since| since.as_nanos() as u64)
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_file_is_verified_once_and_again_when_it_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = ModelFiles::new(folder.path());
        let model = fixture::model("a", b"weights", "");
        assert_eq!(files.check(&model).expect("it reads"), State::Missing);
        fs::write(files.path(&model), b"weights").expect("it writes");
        assert_eq!(files.look(&model), State::Unverified);
        assert_eq!(files.check(&model).expect("it reads"), State::Present);
        assert_eq!(files.look(&model), State::Present);
        fs::write(files.path(&model), b"weirdos").expect("it writes");
        assert_eq!(files.look(&model), State::Unverified, "the receipt no longer fits");
        assert_eq!(files.check(&model).expect("it reads"), State::Wrong);
    }
}
