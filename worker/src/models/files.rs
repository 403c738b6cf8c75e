//! The folder that holds the models' files.

use std::path::{Path, PathBuf};

use super::Model;

/// Where models lie on this machine.
#[derive(Debug, Clone)]
pub struct ModelFiles {
    dir: PathBuf,
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
}
