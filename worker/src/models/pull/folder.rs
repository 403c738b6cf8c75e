//! A folder that somebody brought: its files are known by their hashes, whatever their names.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::blocking;
use crate::models::files::measure;
use crate::models::source::{Expected, Source};
use crate::models::{Digest, Model};

const DEPTH: usize = 3;
const MAX_FILES: usize = 10_000;

/// Files by their hashes.
#[derive(Debug, Default)]
pub(super) struct Folder {
    files: HashMap<Digest, PathBuf>,
}

impl Folder {
    /// Hashes the files that have the size of a wanted model or of one of its pieces.
    pub(super) async fn index(path: &Path, wanted: &[&Model]) -> io::Result<Self> {
        let pieces = wanted.iter().flat_map(|model| &model.sources).flat_map(Source::all_pieces);
        let sizes: HashSet<u64> = pieces
            .filter_map(|piece| piece.expected)
            .chain(wanted.iter().map(|model| model.expected()))
            .map(|expected| expected.bytes)
            .collect();
        let path = path.to_owned();
        blocking(move || {
            let mut found = Vec::new();
            walk(&path, DEPTH, &sizes, &mut found)?;
            let mut files = HashMap::new();
            for path in found {
                let Expected { sha256, .. } = measure(&path)?;
                files.insert(sha256, path);
            }
            Ok(Self { files })
        })
        .await
    }

    pub(super) fn find(&self, sha256: Digest) -> Option<&Path> {
        self.files.get(&sha256).map(PathBuf::as_path)
    }
}

fn walk(folder: &Path, depth: usize, sizes: &HashSet<u64>, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in folder.read_dir()?.take(MAX_FILES) {
        let path = entry?.path();
        // A link that leads nowhere, or a folder that can't be read, has no model.
        let Ok(metadata) = path.metadata() else { continue };
        if metadata.is_dir() && depth > 0 {
            let _ = walk(&path, depth - 1, sizes, found);
        } else if metadata.is_file() && sizes.contains(&metadata.len()) && found.len() < MAX_FILES {
            found.push(path);
        }
    }
    Ok(())
}
