//! Weights that packages carry in another program's form, rewritten byte for byte the same everywhere.
//!
//! Whisper, from CTranslate2 for whisper.cpp:
//! - [`container`]: CTranslate2's file; [`vocabulary`]: the tokens; [`mel`]: the filters that neither carries.
//! - [`ggml`]: whisper.cpp's file; [`q8`]: its blocks of signed bytes; [`whisper`]: which tensor goes where.
//!
//! dlib's face recogniser, from TensorFlow.js to ONNX:
//! - [`tensorflow_js`]: the weights; [`onnx`]: the file; [`face_resnet`]: the network.
//!
//! minivision's judge of liveness and FaceX-Zoo's models of faces, from `PyTorch` to ONNX:
//! - [`unpickle`], [`pickle`], [`torch`]: the weights; [`network`]: convolutions, one after another.
//! - [`retinaface`], [`pfld`]; [`blocks`]: what [`minifasnet`] and [`mobilefacenet`] have in common.

mod blocks;
mod container;
mod face_resnet;
mod ggml;
mod mel;
mod minifasnet;
mod mobilefacenet;
mod network;
mod onnx;
mod pfld;
mod pickle;
mod q8;
mod retinaface;
mod tensorflow_js;
mod torch;
mod unpickle;
mod vocabulary;
mod whisper;

#[cfg(test)]
mod tests;

pub use face_resnet::face_resnet_to_onnx;
pub use whisper::whisper_to_ggml;

use super::source::Architecture;

/// A network's `PyTorch` file, as ONNX.
pub fn pytorch_to_onnx(architecture: Architecture, weights: &[u8]) -> Result<Vec<u8>, ConvertError> {
    match architecture {
        Architecture::Minifasnet => minifasnet::minifasnet_to_onnx(weights),
        Architecture::Mobilefacenet => mobilefacenet::mobilefacenet_to_onnx(weights),
        Architecture::Pfld => pfld::pfld_to_onnx(weights),
        Architecture::Retinaface => retinaface::retinaface_to_onnx(weights),
    }
}

/// The weights or the tokenizer are not what the converter understands.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error("the weights end in the middle of {0}")]
    Truncated(&'static str),
    #[error("{0} bytes follow the weights")]
    TrailingBytes(usize),
    #[error("the weights' container has version {0}, only 6 is known")]
    Version(u32),
    #[error("the weights are not understood: {0}")]
    Format(&'static str),
    #[error("a name in the weights is not text")]
    Name,
    #[error("the weights have no `{0}`")]
    Missing(String),
    #[error("`{name}` {fault}")]
    Tensor { name: String, fault: &'static str },
    #[error("failed to read the tokenizer: {0}")]
    Tokenizer(#[from] serde_json::Error),
    #[error("failed to read the weights' manifest: {0}")]
    Manifest(serde_json::Error),
    #[error("the tokenizer {0}")]
    Vocabulary(&'static str),
    #[error("failed to write the converted file: {0}")]
    Write(#[from] std::io::Error),
}
