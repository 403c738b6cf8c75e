//! Why media gave nothing, as the pipeline needs to know it.

use countersign_shared::domain::{Failure, ProblemCode};

/// Only [`MediaError::Failed`] may go better another time; the others are the file's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// The bytes are of a kind that is not accepted for this part, such as sound where a video is wanted.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
    #[error("unreadable: {0}")]
    Unreadable(&'static str),
    #[error("{pixels} pixels are more than the limit of {limit}")]
    TooManyPixels { pixels: u64, limit: u64 },
    #[error("the video is longer than the limit")]
    TooLong,
    #[error("the video has no sound")]
    WithoutAudio,
    /// Something on our side failed, such as reading the file or starting a thread.
    #[error("media engine: {0}")]
    Failed(String),
}

impl MediaError {
    /// The public reason; `None` when the failure is ours.
    pub fn failure(&self) -> Option<Failure> {
        let code = match self {
            Self::Unsupported(_) => ProblemCode::UnsupportedMedia,
            Self::Unreadable(_) => ProblemCode::MediaUnreadable,
            Self::TooManyPixels { .. } => ProblemCode::ImageTooLarge,
            Self::TooLong => ProblemCode::VideoTooLong,
            Self::WithoutAudio => ProblemCode::VideoWithoutAudio,
            Self::Failed(_) => return None,
        };
        Some(Failure::new(code, self.to_string()))
    }
}

impl From<std::io::Error> for MediaError {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
