//! The engines: the only users of native libraries. Each runs on owner threads behind a bounded channel.

pub mod media;
pub mod onnx;
pub mod speech;

mod picture;
pub mod resample;

pub use picture::Picture;

/// Why an engine gave no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The engine has stopped, or its library failed; another attempt, maybe elsewhere, may succeed.
    #[error("the {engine} engine failed: {detail}")]
    Failed { engine: &'static str, detail: String },
    /// The job was given up while it waited or worked.
    #[error("the job was given up")]
    Cancelled,
}
