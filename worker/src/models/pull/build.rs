//! From verified pieces to the model's file.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::FetchError;
use crate::models::convert::whisper_to_ggml;
use crate::models::source::Build;

/// Writes the model. `pieces` are in the order of the source; the tokenizer of a conversion comes last.
pub(super) fn build(build: &Build, pieces: &[PathBuf], to: &Path) -> Result<(), FetchError> {
    match (build, pieces) {
        (Build::Whisper { precision, .. }, [weights @ .., tokenizer]) => {
            let mut joined = Vec::new();
            for piece in weights {
                io::copy(&mut File::open(piece)?, &mut joined)?;
            }
            let tokenizer = fs::read(tokenizer)?;
            Ok(whisper_to_ggml(&joined, &tokenizer, *precision, BufWriter::new(File::create(to)?))?)
        }
        (_, pieces) => {
            let mut out = File::create(to)?;
            for piece in pieces {
                io::copy(&mut File::open(piece)?, &mut out)?;
            }
            Ok(())
        }
    }
}
