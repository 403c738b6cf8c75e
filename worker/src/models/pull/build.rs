//! From verified pieces to the model's file.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use super::FetchError;
use crate::models::convert::{face_resnet_to_onnx, pytorch_to_onnx, whisper_to_ggml};
use crate::models::source::Build;

/// Writes the model. `pieces` are in the order of the source; the tokenizer or manifest of a conversion comes last.
pub(super) fn build(build: &Build, pieces: &[PathBuf], to: &Path) -> Result<(), FetchError> {
    match (build, pieces) {
        (Build::Whisper { precision, .. }, [weights @ .., tokenizer]) => {
            let (joined, tokenizer) = (joined(weights)?, fs::read(tokenizer)?);
            Ok(whisper_to_ggml(&joined, &tokenizer, *precision, BufWriter::new(File::create(to)?))?)
        }
        (Build::FaceResnet { .. }, [weights @ .., manifest]) => {
            Ok(fs::write(to, face_resnet_to_onnx(&fs::read(manifest)?, &joined(weights)?)?)?)
        }
        (Build::Pytorch(architecture), pieces) => {
            Ok(fs::write(to, pytorch_to_onnx(*architecture, &joined(pieces)?)?)?)
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

fn joined(pieces: &[PathBuf]) -> io::Result<Vec<u8>> {
    let mut joined = Vec::new();
    for piece in pieces {
        io::copy(&mut File::open(piece)?, &mut joined)?;
    }
    Ok(joined)
}
